import type { StandardClaims } from './claims.js';

/** A user, as far as tokens need to know one. */
export interface User {
  /** Stable and never reused, at most 255 characters. */
  sub: string;
  groups: string[];
  disabled: boolean;
  /** Waits for approval: known, but not let in yet. Left out: does not. */
  pending?: boolean;
  /**
   * Milliseconds since the Unix epoch: sign-ins from before this moment no longer hold. Set it to now when the
   * password changes or the user is disabled. Left out: every sign-in holds.
   */
  validAfter?: number;
  /** What the userinfo endpoint tells, each claim to those who were granted its scope. */
  claims?: StandardClaims;
}

/** What a user may read about themselves. */
export interface UserProfile extends User {
  username?: string;
  name?: string;
  picture?: string;
  gender?: string;
  locale?: string;
  email?: string;
  emailVerified?: boolean;
  phoneNumber?: string;
  hasPassword?: boolean;
  anonymous?: boolean;
  /** Milliseconds since the Unix epoch. */
  createdAt?: number;
  updatedAt?: number;
}

/**
 * Where users live. Ours is UserDirectory; a host application provides its own user table under this class token:
 * `AuthModule.forRoot({ …, providers: [{ provide: Users, useExisting: AccountService }] })`.
 */
export abstract class Users {
  /**
   * Checks a password. Takes the same time whether the user exists or not.
   * @param username as normalized by normalizeUsername()
   * @returns undefined where the user or the password is wrong; a disabled user is returned as such
   */
  abstract verify(username: string, password: string): Promise<User | undefined>;

  /**
   * Whose name this is, for the limits: all names of one user share their attempts. Left out: each name has its own.
   * @param username as normalized by normalizeUsername()
   * @returns the user's `sub`; in the same time whether there is one or not
   */
  subOf?(username: string): Promise<string | undefined>;

  /**
   * @param options.fresh false: the answer may be a few seconds old
   * @returns undefined where there is no such user
   */
  abstract find(sub: string, options: { fresh: boolean }): Promise<User | undefined>;

  /** Everything about a user, for `GET /auth/v1/user/me`. By default: what find() tells. */
  profile(sub: string): Promise<UserProfile | undefined> {
    return this.find(sub, { fresh: true });
  }
}

/** Whether a sign-in of that moment still counts for this user. */
export function holds(user: User, authenticatedAt: number): boolean {
  return !user.disabled && authenticatedAt >= (user.validAfter ?? 0);
}
