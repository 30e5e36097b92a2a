import { claimsFor } from '../core/users/claims.js';
import type { UserProfile } from '../core/users/users.js';

/** Users as their own clients read them, in CloudBase's names; what is not known is left out. */
export function userInfo(profile: UserProfile): object {
  const { sub, groups, disabled, pending } = profile;
  return {
    sub,
    user_id: sub,
    name: profile.name,
    picture: profile.picture,
    username: profile.username,
    email: profile.email,
    email_verified: profile.emailVerified,
    phone_number: profile.phoneNumber,
    gender: profile.gender,
    locale: profile.locale,
    status: disabled ? 'BLOCKED' : pending ? 'PENDING' : 'ACTIVE',
    groups: groups.map((id) => ({ id })),
    meta: {},
    has_password: profile.hasPassword,
    is_anonymous: profile.anonymous,
    created_at: rfc3339(profile.createdAt),
    updated_at: rfc3339(profile.updatedAt),
  };
}

/** The same for whoever was given a part of it: what the userinfo endpoint tells (OpenID Connect Core §5.4). */
export function consentedInfo({ sub, claims }: UserProfile, scope: string[]): object {
  const told = claimsFor(scope, claims);
  return { sub, user_id: sub, username: told.preferred_username, ...told };
}

function rfc3339(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
