import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { ClientService } from '../clients/client.service.js';
import { Clock, seconds } from '../../base/clock.js';
import { KeyService } from '../keys/key.service.js';
import { type AccessToken, type AccessTokenReader, isAccessToken, isOfNow } from './access-token.js';
import { SessionService } from './session.service.js';

/** How many seconds the clocks of two nodes may differ. */
const CLOCKS_DIFFER = 2;

/** Reads access tokens of ours. */
@Injectable()
export class AccessTokenService implements AccessTokenReader {
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
    const { issuer, audience } = this.options;
    return isAccessToken(claims, issuer, audience) && (expired || this.isOfNow(claims)) ? claims : undefined;
  }

  /** Whether its time has come, and not run out (RFC 7519 §4.1.4, §4.1.5). */
  isOfNow(token: AccessToken): boolean {
    return isOfNow(token, seconds(this.clock.now()));
  }

  /** Whether what stands behind the token still does: its session and user, or the client itself. */
  async isLive(token: AccessToken): Promise<boolean> {
    if (token.sid !== undefined) return this.sessions.isAlive(token.sid);
    const found = await this.clients.find(token.client_id);
    if (!found || found.client.disabled) return false;
    return token.iat >= seconds(found.client.created_at) - CLOCKS_DIFFER; // else of a client that had this id before
  }
}
