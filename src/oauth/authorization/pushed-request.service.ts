import { Inject, Injectable } from '@nestjs/common';
import { In, LessThanOrEqual } from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { generateSecret, purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { type Holder, Holds } from '../../core/holdings/holdings.service.js';
import { rowsOf, type Whose } from '../../core/sessions/whose.js';
import type { PendingAuthorization } from './pending-authorization.js';
import { PushedRequest } from './pushed-request.entity.js';

const REQUEST_URI = purpose('pushed-request', 600_000);

/** RFC 9126 §2.2. */
export interface PushedAuthorizationResponse {
  request_uri: string;
  /** Seconds. */
  expires_in: number;
}

/** Keeps pushed authorization requests (RFC 9126) until a browser brings their request_uri. */
@Injectable()
@Sweeps()
@Holds('pushed requests')
export class PushedRequestService implements Holder {
  static readonly PREFIX = 'urn:ietf:params:oauth:request_uri:';

  private readonly rows = this.database.repository(PushedRequest);

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  async push(request: PendingAuthorization): Promise<PushedAuthorizationResponse> {
    const reference = generateSecret();
    const expires_in = this.options.pushedRequestTtl;
    await this.rows.insert({
      hash: this.secret.hash(REQUEST_URI, reference),
      client_id: request.client_id,
      request: JSON.stringify(request),
      expires_at: this.clock.now() + expires_in * 1000,
    });
    await this.database.flush();
    return { request_uri: PushedRequestService.PREFIX + reference, expires_in };
  }

  /**
   * Uses a request_uri up: it works once (RFC 9126 §7.3), and for the client that pushed (§4).
   * @throws AuthError invalid_argument
   */
  async take(requestUri: string, clientId: string): Promise<PendingAuthorization> {
    const now = this.clock.now();
    const hashes = this.secret.hashes(REQUEST_URI, requestUri.slice(PushedRequestService.PREFIX.length));
    const row = await this.rows.findOneBy({ hash: In(hashes), client_id: clientId });
    const { affected } = row ? await this.rows.delete({ hash: row.hash }) : { affected: 0 };
    if (!row || affected !== 1 || row.expires_at <= now) {
      throw new AuthError('invalid_argument', { reason: 'REQUEST_URI_INVALID' });
    }
    await this.database.flush();
    return { ...(JSON.parse(row.request) as PendingAuthorization), started_at: now };
  }

  /** Removes every request of a client; a user has none. @returns how many there were */
  async removeAll(of: Whose): Promise<number> {
    const { sub, client_id } = rowsOf(of);
    return sub === undefined ? this.database.deleteAll(this.rows, 'hash', { client_id }) : 0;
  }

  /** Removes at most `batch` requests that nobody brought in time. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.rows, 'hash', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }
}
