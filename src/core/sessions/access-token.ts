/** The claims of an access token of ours (RFC 9068 §2.2). Moments are in seconds since the Unix epoch. */
export interface AccessToken {
  iss: string;
  sub: string;
  aud: string;
  exp: number;
  iat: number;
  jti: string;
  client_id: string;
  /** Space-separated. */
  scope: string;
  groups: string[];
  /** When the user proved who they are; a client's own token doesn't say. */
  auth_time?: number;
  /** The session; a client's own token has none. */
  sid?: string;
  /** It may act on the user's whole account (account-access.ts); other tokens don't have this claim. */
  account?: true;
  /** The key that it is bound to (RFC 9449 §6.1); a Bearer token has none. */
  cnf?: { jkt: string };
}

/** Reads access tokens: who issues them knows them by its own keys and sessions, who does not asks the issuer. */
export abstract class AccessTokenReader {
  /**
   * Checks signature, type, issuer, audience and time (RFC 9068 §4).
   * @param options.expired true: its time may have run out, for what only ends a session
   * @returns undefined where any of them is wrong
   */
  abstract verify(token: string, options?: { expired?: boolean }): Promise<AccessToken | undefined>;

  /**
   * Whether what stands behind the token still does: its session and user, or the client itself.
   * @param claims what verify() said of it
   */
  abstract isLive(claims: AccessToken, token: string): Promise<boolean>;
}

/** None that we issue says `nbf`, but one that does is held to it. */
type Claims = AccessToken & { nbf?: number };

const REQUIRED = ['sub', 'exp', 'iat', 'jti', 'client_id'] as const;

/** Whether these are the claims of an access token of this issuer, for this audience. */
export function isAccessToken(
  claims: Partial<Record<keyof Claims, unknown>> | undefined,
  issuer: string,
  audience: string,
): claims is Claims {
  if (claims === undefined || REQUIRED.some((name) => claims[name] === undefined)) return false;
  const { iss, aud, exp, iat, nbf } = claims;
  if (typeof exp !== 'number' || typeof iat !== 'number' || (nbf !== undefined && typeof nbf !== 'number'))
    return false;
  return iss === issuer && (Array.isArray(aud) ? aud.includes(audience) : aud === audience);
}

/** Whether its time has come, and not run out (RFC 7519 §4.1.4, §4.1.5). @param now in seconds, as the claims are */
export function isOfNow({ exp, nbf = 0 }: Claims, now: number): boolean {
  return nbf <= now && now < exp;
}
