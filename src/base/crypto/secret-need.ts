import { SetMetadata } from '@nestjs/common';

/** What may be lost with the previous secret. */
export interface SecretNeed {
  /** In the plural, such as `sessions`. */
  what: string;
  /** null: some, for nobody counts them. */
  count: number | null;
  /** When the last of it will have expired, in milliseconds since the Unix epoch; null: not by itself. */
  until: number | null;
  /** Which they are, where somebody has to do something about each. */
  which?: string[];
}

/** Something that keeps, for long, what was made under the service secret. Mark its class with `@NeedsSecret()`. */
export interface SecretNeeder {
  /** @param before what was made before this moment, in milliseconds, may have been made under the previous secret */
  needOfPrevious(before: number): Promise<SecretNeed>;
}

export const NEEDS_SECRET = 'nest-auth:needs-secret';

/** Makes a provider of any module a SecretNeeder. */
export const NeedsSecret: () => (target: new (...args: never[]) => SecretNeeder) => void = () =>
  SetMetadata(NEEDS_SECRET, true);
