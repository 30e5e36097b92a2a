import { Injectable } from '@nestjs/common';
import type { Client } from '../../core/clients/client.entity.js';
import { ClientService } from '../../core/clients/client.service.js';
import { SessionService } from '../../core/sessions/session.service.js';
import type { Parameters } from '../../base/http/parameters.js';
import { withQuery, leavesRoom, noRoom } from '../../base/http/with-query.js';
import { IdTokenHintService, MAX_ID_TOKEN_HINT } from '../authorization/id-token-hint.service.js';
import type { BrowserSession } from './browser-session.entity.js';

/** A wish to sign out: what of it is proven. */
export interface SignOutRequest {
  clientId?: string;
  /** The user whom the client means, proven by an id_token of ours. */
  sub?: string;
  /** The session that this id_token was issued in. */
  sid?: string;
  /** Where to go afterwards, registered for the client. */
  redirectUri?: string;
  /** The same with `state`. */
  location?: string;
  uiLocales?: string;
  /** Why it does not lead where it was meant to, for the log. */
  refused?: string;
}

/**
 * Reads the parameters of the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0 §2). What cannot be proven is
 * not used (§4), and keeps nobody signed in: the user is asked, and stays with us afterwards.
 */
@Injectable()
export class SignOutRequestService {
  constructor(
    private readonly clients: ClientService,
    private readonly sessions: SessionService,
    private readonly hints: IdTokenHintService,
  ) {}

  async read(parameters: Parameters): Promise<SignOutRequest> {
    const uiLocales = bounded(parameters, 'ui_locales', 128);
    const sentHint = bounded(parameters, 'id_token_hint', MAX_ID_TOKEN_HINT);
    const hint = sentHint === undefined ? undefined : await this.hints.read(sentHint);
    const sentClient = bounded(parameters, 'client_id', 128);
    if (hint && sentClient !== undefined && hint.clientId !== sentClient) {
      return { uiLocales, refused: 'CLIENT_ID_MISMATCH' }; // §2
    }
    const wanted: SignOutRequest = { ...hint, clientId: hint?.clientId ?? sentClient, uiLocales };
    const redirectUri = parameters.peek('post_logout_redirect_uri');
    if (redirectUri === undefined) return wanted;
    // §3: nobody is redirected to where no client is proven to be
    if (!(await this.isRegistered(wanted.clientId, redirectUri))) {
      return { ...wanted, refused: 'REDIRECT_URI_UNREGISTERED' };
    }
    const state = bounded(parameters, 'state', 2048);
    if (!leavesRoom(redirectUri, state)) throw noRoom('post_logout_redirect_uri');
    return { ...wanted, redirectUri, location: withQuery(redirectUri, state === undefined ? {} : { state }) };
  }

  /**
   * Whether the client means the very sign-in of this browser: its id_token was issued in a session that was opened from
   * it. Any other is as good as none (§2): it may be years old, or of another browser.
   */
  async isAbout({ sub, sid }: SignOutRequest, browser: BrowserSession): Promise<boolean> {
    if (sid === undefined || sub !== browser.sub) return false;
    return (await this.sessions.find(sid))?.browser_session_id === browser.id;
  }

  /** The client that asked, where there is one. */
  async clientOf({ clientId }: SignOutRequest): Promise<Client | undefined> {
    const client = clientId === undefined ? undefined : (await this.clients.find(clientId))?.client;
    return client?.disabled ? undefined : client;
  }

  private async isRegistered(clientId: string | undefined, redirectUri: string): Promise<boolean> {
    const client = await this.clientOf({ clientId });
    return client?.post_logout_redirect_uris.includes(redirectUri) ?? false;
  }
}

/** What is repeated, malformed or too long counts as not sent. */
function bounded(parameters: Parameters, name: string, max: number): string | undefined {
  const value = parameters.peek(name);
  return value !== undefined && value.length <= max ? value : undefined;
}
