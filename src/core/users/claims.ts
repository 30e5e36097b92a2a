/** What is known of a user (OpenID Connect Core §5.1); every claim is optional. */
export interface StandardClaims {
  name?: string;
  given_name?: string;
  family_name?: string;
  middle_name?: string;
  nickname?: string;
  preferred_username?: string;
  profile?: string;
  picture?: string;
  website?: string;
  gender?: string;
  /** YYYY-MM-DD, or YYYY. */
  birthdate?: string;
  zoneinfo?: string;
  locale?: string;
  /** Seconds since the Unix epoch. */
  updated_at?: number;
  email?: string;
  email_verified?: boolean;
  /** E.164 is recommended. */
  phone_number?: string;
  phone_number_verified?: boolean;
  address?: { formatted?: string; [part: string]: string | undefined };
}

/** OpenID Connect Core §5.4. */
export const CLAIMS_OF_SCOPE = {
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
} satisfies Record<string, (keyof StandardClaims)[]>;

/** The claims that a scope gives away. */
export function claimsFor(scope: string[], claims: StandardClaims = {}): StandardClaims {
  const allowed: string[] = Object.entries(CLAIMS_OF_SCOPE).flatMap(([word, names]) =>
    scope.includes(word) ? names : [],
  );
  return Object.fromEntries(Object.entries(claims).filter(([name]) => allowed.includes(name)));
}
