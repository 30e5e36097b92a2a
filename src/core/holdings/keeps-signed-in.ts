import { SetMetadata } from '@nestjs/common';

/** Something besides sessions that keeps users signed in, such as their browsers. Mark its class with `@KeepsSignedIn()`. */
export interface SignInKeeper {
  /** Ends all of it for a user. */
  endAll(sub: string): Promise<unknown>;
}

export const KEEPS_SIGNED_IN = 'nest-auth:keeps-signed-in';

/** Makes a provider of any module a SignInKeeper. */
export const KeepsSignedIn: () => (target: new (...args: never[]) => SignInKeeper) => void = () =>
  SetMetadata(KEEPS_SIGNED_IN, true);
