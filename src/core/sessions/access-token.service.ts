import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { ClientService } from '../clients/client.service.js';
import { Clock, seconds } from '../../base/clock.js';
import { KeyService } from '../keys/key.service.js';
import { SessionService } from './session.service.js';

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
  /** The session; a client's own token has none. */
  sid?: string;
  /** It may act on the user's whole account (account-access.ts); other tokens don't have this claim. */
  account?: true;
  /** The key that it is bound to (RFC 9449 §6.1); a Bearer token has none. */
  cnf?: { jkt: string };
}

/** None that we issue says `nbf`, but one that does is held to it. */
type Claims = AccessToken & { nbf?: number };

/** How many seconds the clocks of two nodes may differ. */
const CLOCKS_DIFFER = 2;

const REQUIRED = ['sub', 'exp', 'iat', 'jti', 'client_id'] as const;

/** Reads access tokens of ours. */
@Injectable()
export class AccessTokenService {
  constructor(
    private readonly keys: KeyService,
    private readonly sessions: SessionService,
    private readonly clients: ClientService,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Checks signature, type, issuer, audience and expiry (RFC 9068 §4); asks no database.
   * @param options.expired true: its time may have run out, for what only ends a session
   * @returns undefined where any of them is wrong
   */
  async verify(token: string, { expired = false } = {}): Promise<AccessToken | undefined> {
    const claims = await this.keys.verify('at+jwt', token);
    return claims && this.isForUs(claims) && (expired || this.isOfNow(claims)) ? claims : undefined;
  }

  /** Whether its time has come, and not run out (RFC 7519 §4.1.4, §4.1.5). */
  isOfNow({ exp, nbf = 0 }: Claims): boolean {
    const now = seconds(this.clock.now());
    return nbf <= now && now < exp;
  }

  /** Whether what stands behind the token still does: its session and user, or the client itself. */
  async isLive(token: AccessToken): Promise<boolean> {
    if (token.sid !== undefined) return this.sessions.isAlive(token.sid);
    const found = await this.clients.find(token.client_id);
    if (!found || found.client.disabled) return false;
    return token.iat >= seconds(found.client.created_at) - CLOCKS_DIFFER; // else of a client that had this id before
  }

  private isForUs(claims: Partial<Record<keyof Claims, unknown>>): claims is Claims {
    const { iss, aud, exp, iat, nbf } = claims;
    if (REQUIRED.some((name) => claims[name] === undefined)) return false;
    if (typeof exp !== 'number' || typeof iat !== 'number' || (nbf !== undefined && typeof nbf !== 'number'))
      return false;
    const { issuer, audience } = this.options;
    return iss === issuer && (Array.isArray(aud) ? aud.includes(audience) : aud === audience);
  }
}
