import type { UserRow } from './user.entity.js';
import type { User, UserProfile } from './users.js';

/** What tokens need to know of a row. */
export function toUser(row: UserRow): User {
  const { id, groups, disabled, pending, credentials_version, kept_session_id } = row;
  return {
    sub: id,
    groups,
    disabled,
    ...(pending ? { pending } : {}),
    version: credentials_version,
    ...(kept_session_id === null ? {} : { keptSessionId: kept_session_id }),
    claims: claimsOf(row),
  };
}

/** What its user may know of a row. */
export function toProfile(row: UserRow): UserProfile {
  const anonymous = row.anonymous_device !== null;
  return {
    ...toUser(row),
    username: row.username === row.id ? undefined : row.username,
    name: row.name ?? (anonymous ? 'anonymous' : undefined), // by this name the SDK knows them
    picture: row.picture ?? undefined,
    gender: row.gender ?? undefined,
    locale: row.locale ?? undefined,
    email: row.email ?? undefined,
    emailVerified: row.email === null ? undefined : row.email.toLowerCase() === row.login_email,
    phoneNumber: row.phone_number ?? undefined,
    hasPassword: row.password_hash !== null,
    anonymous,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** OpenID Connect Core §5.1; what is not known is left out. */
function claimsOf(row: UserRow): NonNullable<User['claims']> {
  const claims = {
    preferred_username: row.username === row.id ? null : row.username,
    name: row.name,
    picture: row.picture,
    gender: row.gender,
    locale: row.locale,
    email: row.email,
    email_verified: row.email === null ? null : row.email.toLowerCase() === row.login_email,
    phone_number: row.phone_number,
    phone_number_verified: row.phone_number === null ? null : true, // none is kept that was not proven
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}
