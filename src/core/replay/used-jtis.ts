import { createHash } from 'node:crypto';

/** Longest jti that is looked at, in characters. */
export const MAX_JTI = 256;

/** What is kept of a JWT: 43 characters, base64url, the same for no two of them. */
export function hashOfJti(use: string, owner: string, jti: string): string {
  return createHash('sha256')
    .update(JSON.stringify([use, owner, jti]))
    .digest('base64url');
}

/** Remembers the JWTs that were accepted, so that each is accepted once. */
export abstract class UsedJtis {
  /**
   * Uses a JWT up: of any number of parallel calls exactly one is told true.
   * @param use what it is for, so that two kinds of JWT never meet
   * @param owner who made it: a jti is unique for its maker alone
   * @param expiresAt from when it would be refused for its age, in milliseconds since the Unix epoch
   */
  abstract consume(use: 'client-assertion' | 'dpop', owner: string, jti: string, expiresAt: number): Promise<boolean>;
}
