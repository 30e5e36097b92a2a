import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Client } from '../../core/clients/client.entity.js';
import { ClientService } from '../../core/clients/client.service.js';
import type { AuthError } from '../../base/errors/auth.error.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { withQuery } from '../../base/http/with-query.js';
import { PageService } from '../pages/page.service.js';
import type { AuthorizationTarget } from './pending-authorization.js';
import { formActionOf } from '../../core/codes/redirect-uri.js';

const SUBMIT = 'document.forms[0].submit()';

/** Brings the answer to the client's redirect_uri, with the browser (RFC 6749 §4.1.2). */
@Injectable()
export class AuthorizationAnswers {
  constructor(
    private readonly pages: PageService,
    private readonly clients: ClientService,
    private readonly catalogue: Catalogue,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  code(http: HttpExchange, target: AuthorizationTarget, code: string): Promise<void> {
    return this.send(http, target, { code });
  }

  /** RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6: in the words of the standards. */
  error(http: HttpExchange, target: AuthorizationTarget, error: AuthError): Promise<void> {
    const error_description = [this.catalogue.sentence(error).en, ...(error.fields ?? []).map(fieldSentence)].join(' ');
    return this.send(http, target, { error: this.catalogue.oauthWord(error).error, error_description });
  }

  private async send(
    http: HttpExchange,
    { client_id, redirect_uri, response_mode, state }: AuthorizationTarget,
    values: Record<string, string>,
  ): Promise<void> {
    // RFC 9207 §2: so that the client can tell whose answer it is
    const answer = { ...values, ...(state !== undefined && { state }), iss: this.options.issuer };
    if (response_mode === 'query') return http.seeOther(withQuery(redirect_uri, answer));
    const client = (await this.clients.find(client_id))?.client;
    const view = { action: redirect_uri, hidden: answer, client: client?.name ?? client_id, script: SUBMIT };
    this.pages.send(http, 'form-post', view, {
      formAction: client ? formActionsOf(client, redirect_uri) : [formActionOf(redirect_uri)],
      script: SUBMIT,
    });
  }
}

/** Longest list of where a form may lead, in characters: it stands in a header. */
const MAX_FORM_ACTIONS = 1024;

/**
 * Where the browser may end up after a form of ours: Chromium holds every hop of a redirect to `form-action`.
 * @param redirectUri where it goes first; of a client with very many others not all are named
 */
export function formActionsOf(client: Client, redirectUri: string): string[] {
  const uris = [redirectUri, ...client.redirect_uris, ...client.post_logout_redirect_uris];
  const sources = new Set(
    // a loopback redirect_uri may have another port than the registered one
    uris.map((uri) => formActionOf(uri).replace(/^(http:\/\/127\.0\.0\.1)(:\d+)?$/, '$1:*')),
  );
  let room = MAX_FORM_ACTIONS;
  return [...sources].filter((source, i) => (room -= source.length + 1) >= 0 || i === 0);
}

function fieldSentence({ field, description }: { field: string; description: string }): string {
  return `${field} ${description}.`;
}
