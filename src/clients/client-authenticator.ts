import { Inject, Injectable } from '@nestjs/common';
import { AuditSink } from '../audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';
import { Clock } from '../clock.js';
import { sameHash, ServiceSecret } from '../crypto/service-secret.js';
import { AuthError } from '../errors/auth.error.js';
import type { ClientCredentials } from './client-credentials.js';
import type { Client } from './client.entity.js';
import { ClientService } from './client.service.js';

/** How clients may authenticate: `token_endpoint_auth_methods_supported` (RFC 8414 §2). */
export const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post'];

/** Client authentication (RFC 6749 §2.3), once, in front of every grant. */
@Injectable()
export class ClientAuthenticator {
  constructor(
    private readonly clients: ClientService,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    private readonly audit: AuditSink,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** @throws AuthError invalid_client, unauthorized_client, or invalid_argument where no client is named */
  async authenticate(credentials: ClientCredentials, requestId: string): Promise<Client> {
    const id = credentials.id ?? this.options.defaultClientId;
    if (id === undefined) {
      const fields = [{ field: 'client_id', description: 'is required' }];
      throw new AuthError('invalid_argument', { reason: 'CLIENT_ID_MISSING', fields });
    }
    const refuse = (code: 'invalid_client' | 'unauthorized_client', reason: string): never => {
      this.audit.record({ event: 'client_authentication_failed', clientId: id, reason, requestId });
      throw new AuthError(code, { reason });
    };
    const found = await this.clients.find(id);
    if (!found) return refuse('invalid_client', 'CLIENT_UNKNOWN');
    const { client, secrets } = found;
    if (client.disabled) return refuse('invalid_client', 'CLIENT_DISABLED');
    if (credentials.secret === undefined) {
      return client.public ? client : refuse('unauthorized_client', 'CLIENT_SECRET_MISSING');
    }
    const hash = this.secret.hash('client-secret', credentials.secret);
    const now = this.clock.now();
    const alive = secrets.filter((row) => row.expires_at === null || row.expires_at > now);
    // a public client has no secret that could be right
    if (!alive.some((row) => sameHash(row.hash, hash))) return refuse('unauthorized_client', 'CLIENT_SECRET_WRONG');
    return client;
  }
}
