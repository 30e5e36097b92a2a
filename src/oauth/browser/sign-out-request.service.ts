import { Injectable } from '@nestjs/common';
import { ClientService } from '../../core/clients/client.service.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Parameters } from '../../base/http/parameters.js';
import { missing, tooLong } from '../../base/http/rules.js';
import { leavesRoom, noRoom, withQuery } from '../../base/http/with-query.js';
import { IdTokenHintService, MAX_ID_TOKEN_HINT } from '../authorization/id-token-hint.service.js';

/** A checked wish to sign out. */
export interface SignOutRequest {
  clientId?: string;
  /** The user whom the client means, proven by an id_token of ours. */
  sub?: string;
  /** Where to go afterwards, registered for the client. */
  redirectUri?: string;
  /** The same with `state`. */
  location?: string;
  uiLocales?: string;
}

/** Reads the parameters of the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0 §2). */
@Injectable()
export class SignOutRequestService {
  constructor(
    private readonly clients: ClientService,
    private readonly hints: IdTokenHintService,
  ) {}

  /** @throws AuthError, for the user: nobody is redirected to where no client is proven to be (§3) */
  async read(parameters: Parameters): Promise<SignOutRequest> {
    const sentHint = bounded(parameters, 'id_token_hint', MAX_ID_TOKEN_HINT);
    const hint = sentHint === undefined ? undefined : await this.hints.read(sentHint);
    const sentClient = bounded(parameters, 'client_id', 128);
    if (hint && sentClient !== undefined && hint.clientId !== sentClient) {
      throw new AuthError('invalid_argument', { reason: 'CLIENT_ID_MISMATCH' }); // §2
    }
    const clientId = hint?.clientId ?? sentClient;
    const redirectUri = bounded(parameters, 'post_logout_redirect_uri', 2048);
    const state = bounded(parameters, 'state', 2048);
    if (redirectUri !== undefined) await this.checkRedirect(clientId, redirectUri);
    if (redirectUri !== undefined && !leavesRoom(redirectUri, state)) throw noRoom('post_logout_redirect_uri');
    return {
      clientId,
      sub: hint?.sub,
      redirectUri,
      location: redirectUri && withQuery(redirectUri, state === undefined ? {} : { state }),
      uiLocales: bounded(parameters, 'ui_locales', 128),
    };
  }

  private async checkRedirect(clientId: string | undefined, redirectUri: string): Promise<void> {
    if (clientId === undefined) throw missing('client_id');
    const client = (await this.clients.find(clientId))?.client;
    if (!client || client.disabled) throw new AuthError('invalid_client', { reason: 'CLIENT_UNKNOWN' });
    if (!client.post_logout_redirect_uris.includes(redirectUri)) {
      throw new AuthError('invalid_argument', { reason: 'REDIRECT_URI_UNREGISTERED' });
    }
  }
}

function bounded(parameters: Parameters, name: string, max: number): string | undefined {
  const value = parameters.get(name);
  if (value === undefined || value.length <= max) return value;
  throw tooLong(name, max);
}
