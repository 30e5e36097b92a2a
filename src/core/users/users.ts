import { AuthError } from '../../base/errors/auth.error.js';
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
   * Counts what ends every sign-in: a change of the password, disabling. Increment it in the statement that makes the
   * change, and return from verify() the one that the password was checked against: a sign-in holds while the version is
   * the same, whatever any clock says. Left out: 0.
   */
  version?: number;
  /** The one session that goes on though the version changed: the one that its user changed it from. */
  keptSessionId?: string;
  /**
   * For a user table without versions, in milliseconds since the Unix epoch: sign-ins from before this moment no longer
   * hold. Set it to now when the password changes or the user is disabled. Left out: every moment will do.
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

/** A proof of who somebody is, as it is kept with what it opened. */
export interface SignIn {
  /** When it was given, in milliseconds since the Unix epoch. */
  authenticated_at: number;
  /** The version of the user that it was checked against. */
  credentials_version: number;
  /** The session that stands on it, where it is one. */
  sessionId?: string;
}

/** Whether the user is let in, and by this sign-in still. */
export function holds(user: User, { authenticated_at, credentials_version, sessionId }: SignIn): boolean {
  if (refusalOf(user) || authenticated_at < (user.validAfter ?? 0)) return false;
  return credentials_version === versionOf(user) || (sessionId !== undefined && sessionId === user.keptSessionId);
}

/**
 * The user of a sign-in, if it holds. A "no" that may be a few seconds old is asked for once more: a sign-in that is
 * younger than the answer must not end by it.
 */
export async function holderOf(users: Users, sub: string, signIn: SignIn): Promise<User | undefined> {
  for (const fresh of [false, true]) {
    const user = await users.find(sub, { fresh });
    if (user && holds(user, signIn)) return user;
  }
  return undefined;
}

/** Why a user is not let in, whoever they have proven to be; undefined: they are. */
export function refusalOf({ disabled, pending }: User): AuthError<'permission_denied' | 'user_pending'> | undefined {
  if (disabled) return new AuthError('permission_denied', { reason: 'USER_DISABLED' });
  if (pending) return new AuthError('user_pending', { reason: 'USER_PENDING' });
  return undefined;
}

/** The version that a proof of this moment is checked against. */
export function versionOf(user: User | undefined): number {
  return user?.version ?? 0;
}
