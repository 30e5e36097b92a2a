import { SetMetadata } from '@nestjs/common';
import type { Ending } from '../sessions/ending.js';

/** Something besides sessions that keeps users signed in, such as their browsers. Mark its class with `@KeepsSignedIn()`. */
export interface SignInKeeper {
  /** Ends all of it for a user. @param ending how, for what keeps that; left out: by a rule of the service's own */
  endAll(sub: string, ending?: Ending): Promise<unknown>;
}

export const KEEPS_SIGNED_IN = 'nest-auth:keeps-signed-in';

/** Makes a provider of any module a SignInKeeper. */
export const KeepsSignedIn: () => (target: new (...args: never[]) => SignInKeeper) => void = () =>
  SetMetadata(KEEPS_SIGNED_IN, true);
