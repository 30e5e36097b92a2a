import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { sameHash, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Limits } from '../throttling/limits.js';
import { ClientAssertionService } from './client-assertion.service.js';
import type { ClientCredentials } from './client-credentials.js';
import type { ClientSecret } from './client-secret.entity.js';
import type { Client } from './client.entity.js';
import { CLIENT_SECRET, ClientSecrets } from './client-secrets.js';
import { ClientService, type RegisteredClient } from './client.service.js';

/** How clients may authenticate: `token_endpoint_auth_methods_supported` (RFC 8414 §2). */
export const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** Client authentication (RFC 6749 §2.3), once, in front of every grant. */
@Injectable()
export class ClientAuthenticator {
  constructor(
    private readonly clients: ClientService,
    private readonly secrets: ClientSecrets,
    private readonly assertions: ClientAssertionService,
    private readonly secret: ServiceSecret,
    private readonly limits: Limits,
    private readonly clock: Clock,
    private readonly audit: Audit,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** @throws AuthError invalid_client, unauthorized_client, or invalid_argument where no client is named */
  async authenticate(credentials: ClientCredentials, requestId: string): Promise<Client> {
    const id = credentials.id ?? this.options.defaultClientId;
    if (id === undefined) {
      const fields = [{ field: 'client_id', description: 'is required' }];
      throw new AuthError('invalid_argument', { reason: 'CLIENT_ID_MISSING', fields });
    }
    try {
      return await this.proven(id, credentials);
    } catch (error) {
      if (error instanceof AuthError && (error.code === 'invalid_client' || error.code === 'unauthorized_client')) {
        const { reason } = error;
        // an id that is none may be anything, such as a secret in the wrong place
        const clientId = reason === 'CLIENT_UNKNOWN' ? undefined : id;
        this.audit.record({ event: 'client_authentication_failed', clientId, reason, requestId });
      }
      throw error;
    }
  }

  /**
   * The client, once it has proven itself. A request that has not yet counts by client and address, and one that has
   * counts by client alone: what a client may use nobody else can use up.
   */
  private async proven(id: string, credentials: ClientCredentials): Promise<Client> {
    const found = await this.clients.find(id);
    if (!found) throw new AuthError('invalid_client', { reason: 'CLIENT_UNKNOWN' });
    const { client } = found;
    if (client.disabled) throw new AuthError('invalid_client', { reason: 'CLIENT_DISABLED' });
    const { from } = credentials;
    const claimed = from === undefined ? undefined : `claimed ${from} ${id}`;
    if (claimed !== undefined) await this.limits.spend('client', claimed);
    await this.check(found, credentials);
    if (claimed !== undefined && !client.public) {
      await this.limits.restore('client', claimed);
      await this.limits.spend('client', `proven ${id}`);
    }
    return client;
  }

  private async check({ client, secrets }: RegisteredClient, { secret, assertion }: ClientCredentials): Promise<void> {
    const byAssertion = client.token_endpoint_auth_method === 'private_key_jwt';
    if (byAssertion !== (assertion !== undefined)) {
      throw new AuthError('unauthorized_client', { reason: 'CLIENT_AUTHENTICATION_METHOD_WRONG' });
    }
    if (assertion !== undefined) await this.assertions.accept(client, assertion);
    else if (secret !== undefined || !client.public) await this.checkSecret(secrets, secret);
  }

  /** A public client has no secret that could be right. */
  private async checkSecret(secrets: ClientSecret[], secret: string | undefined): Promise<void> {
    if (secret === undefined) throw new AuthError('unauthorized_client', { reason: 'CLIENT_SECRET_MISSING' });
    const hashes = this.secret.hashes(CLIENT_SECRET, secret);
    const now = this.clock.now();
    const alive = secrets.filter((row) => row.expires_at === null || row.expires_at > now);
    const right = alive.find((row) => hashes.some((hash) => sameHash(row.hash, hash)));
    if (!right) throw new AuthError('unauthorized_client', { reason: 'CLIENT_SECRET_WRONG' });
    if (hashes.length > 1 && right.hashed_under !== this.secret.id) await this.secrets.rehash(right, hashes[0]!);
  }
}
