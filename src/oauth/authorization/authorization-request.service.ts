import { Injectable } from '@nestjs/common';
import type { Client } from '../../core/clients/client.entity.js';
import { ClientService } from '../../core/clients/client.service.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Parameters } from '../../base/http/parameters.js';
import { missing } from '../../base/http/rules.js';
import { AuthorizationRefusal } from './authorization-refusal.js';
import {
  type AuthorizationTarget,
  checkAuthorization,
  type PendingAuthorization,
  targetOf,
} from './pending-authorization.js';
import { type Opened, TicketService } from '../browser/ticket.service.js';
import { PushedRequestService } from './pushed-request.service.js';
import { isRegistered } from '../../core/codes/redirect-uri.js';

/** Reads authorization requests, sent by the browser or pushed by the client (RFC 9126). */
@Injectable()
export class AuthorizationRequestService {
  constructor(
    private readonly clients: ClientService,
    private readonly pushed: PushedRequestService,
    private readonly tickets: TicketService,
    private readonly clock: Clock,
  ) {}

  /**
   * What a browser brings. Until client and redirect_uri are proven, an error is the user's to see (RFC 6749 §4.1.2.1):
   * redirecting it would make us an open redirector (RFC 9700 §4.11.2).
   * @throws AuthError for the user, AuthorizationRefusal for the client
   */
  async read(parameters: Parameters): Promise<PendingAuthorization> {
    const client = await this.clientOf(parameters.get('client_id'));
    const requestUri = parameters.get('request_uri');
    if (requestUri?.startsWith(PushedRequestService.PREFIX)) return this.pushed.take(requestUri, client.id);
    const target = this.target(client, parameters);
    try {
      return checkAuthorization(client, target, parameters, this.clock.now());
    } catch (error) {
      throw error instanceof AuthError ? new AuthorizationRefusal(target, error as AuthError) : error;
    }
  }

  /** What a client pushes. @throws AuthError for the client */
  check(client: Client, parameters: Parameters): PendingAuthorization {
    return checkAuthorization(client, this.target(client, parameters), parameters, this.clock.now());
  }

  /**
   * One that is on its way through our pages. A stale one begins anew: state, nonce and challenge are the client's, who
   * judges them, but a sign-in of before is no longer one for this request.
   * @throws AuthError invalid_argument
   */
  async resume(parameters: Parameters): Promise<Opened<PendingAuthorization>> {
    const { value, isStale } = await this.tickets.open<PendingAuthorization>('authorization', parameters.get('ticket'));
    return { value: isStale ? { ...value, started_at: this.clock.now() } : value, isStale };
  }

  /** The client of a request, as it is now. @throws AuthError */
  async clientOf(id: string | undefined): Promise<Client> {
    if (id === undefined) throw missing('client_id');
    const found = id.length > 128 ? undefined : await this.clients.find(id);
    if (!found) throw new AuthError('invalid_client', { reason: 'CLIENT_UNKNOWN' });
    if (found.client.disabled) throw new AuthError('invalid_client', { reason: 'CLIENT_DISABLED' });
    return found.client;
  }

  private target(client: Client, parameters: Parameters): AuthorizationTarget {
    const redirectUri = parameters.get('redirect_uri');
    // never guessed from what is registered: OpenID Connect Core §3.1.2.1 requires it, and the code is bound to it
    if (redirectUri === undefined) throw missing('redirect_uri');
    if (redirectUri.length > 2048 || !isRegistered(client.redirect_uris, redirectUri)) {
      throw new AuthError('invalid_argument', { reason: 'REDIRECT_URI_UNREGISTERED' });
    }
    return targetOf(client, redirectUri, parameters);
  }
}
