import { Injectable } from '@nestjs/common';
import type { Client } from '../core/clients/client.entity.js';
import { ClientService } from '../core/clients/client.service.js';
import { ANONYMOUS_SCOPE } from './grant-types.js';
import { accessTokenInvalid, AuthError } from '../base/errors/auth.error.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import type { AccessToken } from '../core/sessions/access-token.js';
import type { Party } from '../core/sessions/lease.js';
import { Parties } from '../core/sessions/parties.js';
import { PresentedTokens } from '../core/sessions/presented-tokens.js';

/** Who sends a request: a client, and perhaps a user who is signed in at it. */
@Injectable()
export class Callers {
  constructor(
    private readonly parties: Parties,
    private readonly clients: ClientService,
    private readonly tokens: PresentedTokens,
  ) {}

  /** The client that the request names and authenticates. */
  party(http: HttpExchange): Promise<Party> {
    return this.parties.of(http);
  }

  /**
   * The client of the request's living access token, and that token; without one, the client as of party().
   * @throws AuthError unauthenticated where the token is not alive
   */
  async clientOrUser(http: HttpExchange): Promise<{ client: Client; bearer?: AccessToken }> {
    const bearer = await this.tokens.read(http, { live: true });
    if (!bearer) return { client: (await this.party(http)).client };
    return { client: await this.clientOf(bearer), bearer };
  }

  /**
   * The one door to the account API: lets through a token that may act on its user's whole account.
   * @throws AuthError permission_denied
   */
  async requireAccount(bearer: AccessToken): Promise<void> {
    await this.clientOf(bearer);
    if (bearer.sid === undefined || !bearer.account) {
      throw new AuthError('permission_denied', { reason: 'ACCOUNT_ACCESS_MISSING' });
    }
  }

  /** @throws AuthError permission_denied where nobody knows who the user is */
  async requireNamedUser(bearer: AccessToken): Promise<void> {
    await this.requireAccount(bearer);
    if (bearer.scope === ANONYMOUS_SCOPE) throw new AuthError('permission_denied', { reason: 'USER_ANONYMOUS' });
  }

  private async clientOf(bearer: AccessToken): Promise<Client> {
    const client = (await this.clients.find(bearer.client_id))?.client;
    if (!client || client.disabled) throw accessTokenInvalid();
    return client;
  }
}
