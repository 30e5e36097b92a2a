import { badField } from '../../base/errors/auth.error.js';
import { PRINTABLE } from '../../base/http/rules.js';
import { emailOf } from './contact.js';
import type { UserRow } from './user.entity.js';
import { isUsername, normalizeUsername } from './username.js';

/** What an operator may change of a user; what is left out, or undefined, stays. `null` takes away. */
export interface UserChanges {
  username?: string;
  email?: string | null;
  /** Whether the user has proven the address, and signs in by it. Left out: a new address is not proven. */
  emailVerified?: boolean;
  name?: string | null;
  groups?: string[];
}

const MAX_NAME = 200;
const MAX_GROUP = 256;

/**
 * A username as it is stored.
 * @throws AuthError invalid_argument where it may be none
 */
export function checkedUsername(typed: string): string {
  const username = normalizeUsername(typed);
  if (isUsername(username)) return username;
  throw badField('username', 'PARAMETER_INVALID', 'is empty, too long or has control characters');
}

/**
 * The columns of what an operator says about a user.
 * @throws AuthError invalid_argument that names the field
 */
export function columnsOf(changes: UserChanges, before: Pick<UserRow, 'email' | 'login_email'>): Partial<UserRow> {
  const { username, name, groups } = changes;
  if (typeof name === 'string' && (name.length > MAX_NAME || !PRINTABLE.pattern.test(name))) {
    throw badField(
      'name',
      'PARAMETER_INVALID',
      `must have at most ${MAX_NAME} characters, none of them control characters`,
    );
  }
  if (groups && !groups.every((group) => group !== '' && group.length <= MAX_GROUP && PRINTABLE.pattern.test(group))) {
    throw badField('groups', 'PARAMETER_INVALID', `must be names of 1 to ${MAX_GROUP} printable characters`);
  }
  return {
    ...(username === undefined ? {} : { username: checkedUsername(username) }),
    ...(name === undefined ? {} : { name }),
    ...(groups === undefined ? {} : { groups }),
    ...emailColumns(changes, before),
  };
}

function emailColumns(
  { email: typed, emailVerified }: UserChanges,
  before: Pick<UserRow, 'email' | 'login_email'>,
): Partial<UserRow> {
  if (typed === undefined && emailVerified === undefined) return {};
  const email = typed === undefined ? before.email : typed;
  if (email === null) {
    if (emailVerified) throw badField('email', 'PARAMETER_MISSING', 'is required where it is verified');
    return { email, login_email: null };
  }
  const address = emailOf(email.trim());
  if (address === undefined) throw badField('email', 'PARAMETER_INVALID', 'must be an e-mail address');
  const isProven = emailVerified ?? address === before.login_email;
  return isProven ? { email: address, login_email: address } : { email: email.trim(), login_email: null };
}
