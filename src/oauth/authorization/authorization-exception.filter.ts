import { type ArgumentsHost, Catch, Inject } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { AuthError } from '../../base/errors/auth.error.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { exchangeOf } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { localPath } from '../../base/http/local-path.js';
import { ClientService } from '../../core/clients/client.service.js';
import { isRegistered } from '../../core/codes/redirect-uri.js';
import { TicketService } from '../browser/ticket.service.js';
import { backTo, type Way } from '../pages/way.js';
import { PageExceptionFilter } from '../pages/page-exception.filter.js';
import { PageService } from '../pages/page.service.js';
import { AuthorizationAnswers } from './authorization-answers.js';
import { AuthorizationRefusal } from './authorization-refusal.js';
import type { PendingAuthorization } from './pending-authorization.js';

/** Tells the client what is meant for the client, and the user everything else. */
@Catch()
export class AuthorizationExceptionFilter extends PageExceptionFilter {
  constructor(
    @Inject(AUTH_OPTIONS) options: ResolvedAuthOptions,
    catalogue: Catalogue,
    pages: PageService,
    private readonly answers: AuthorizationAnswers,
    private readonly tickets: TicketService,
    private readonly clients: ClientService,
  ) {
    super(options, catalogue, pages);
  }

  override catch(thrown: unknown, host: ArgumentsHost): void {
    if (!(thrown instanceof AuthorizationRefusal)) return super.catch(thrown, host);
    const http = exchangeOf(host);
    http.refusal = { reason: thrown.cause.reason };
    this.answers.error(http, thrown.target, thrown.cause).catch((error: unknown) => super.catch(error, host));
  }

  /** On with the request where it can still be answered, else back to the app that it came from. */
  protected override async waysOn(http: HttpExchange, error: AuthError): Promise<Way[]> {
    const sent = http.parameters.peek('ticket');
    const pending = await this.tickets.peek<PendingAuthorization>('authorization', sent);
    const id = pending?.client_id ?? http.parameters.peek('client_id');
    const client = id === undefined ? undefined : (await this.clients.find(id))?.client;
    if (!client || client.disabled) return super.waysOn(http, error);
    const isOpen = error.reason !== 'PAGE_EXPIRED' && isRegistered(client.redirect_uris, pending?.redirect_uri ?? '');
    if (!pending || !isOpen) return backTo(client) ?? super.waysOn(http, error);
    const ticket = await this.tickets.forAddress('authorization', pending);
    const href = localPath(this.options, `/oauth2/authorize/continue?ticket=${ticket}`);
    return [{ href, text: 'way.continue', values: { client: client.name } }];
  }
}
