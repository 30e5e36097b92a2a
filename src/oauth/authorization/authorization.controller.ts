import { All, Controller, Get, Post, Req, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Request, Response } from 'express';
import { BrowserService } from '../browser/browser.service.js';
import { PageGuard } from '../browser/page.guard.js';
import { SignInService } from '../browser/sign-in.service.js';
import { TicketService } from '../browser/ticket.service.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { parametersOf } from '../../base/http/parameters.js';
import { AuthorizationExceptionFilter } from './authorization-exception.filter.js';
import { AuthorizationFlow } from './authorization-flow.service.js';
import { AuthorizationRequestService } from './authorization-request.service.js';
import { authorizationMetadata } from './metadata.js';
import type { PendingAuthorization } from './pending-authorization.js';

/** `/oauth2/authorize`: the authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2) and its pages. */
@Controller({ path: 'oauth2/authorize', version: VERSION_NEUTRAL })
@UseFilters(AuthorizationExceptionFilter)
@UseGuards(PageGuard)
@PublishesMetadata()
export class AuthorizationController implements MetadataPublisher {
  constructor(
    private readonly requests: AuthorizationRequestService,
    private readonly flow: AuthorizationFlow,
    private readonly browsers: BrowserService,
    private readonly signIns: SignInService,
    private readonly tickets: TicketService,
  ) {}

  metadata(url: (path: string) => string): ServerMetadata {
    return authorizationMetadata(url);
  }

  @Get()
  async authorize(@Req() request: Request, @Res() response: Response): Promise<void> {
    const pending = await this.requests.read(parametersOf(request));
    const browser = await this.browsers.of(request, response);
    await this.flow.start(pending, { request, response, browser });
  }

  /** Comes from another site, and so without the cookie: who the user is, is asked after the redirect. */
  @Post()
  async authorizeByPost(@Req() request: Request, @Res() response: Response): Promise<void> {
    this.flow.goOn(await this.requests.read(parametersOf(request)), { request, response });
  }

  @Get('continue')
  async continue(@Req() request: Request, @Res() response: Response): Promise<void> {
    const pending = this.pendingOf(request);
    const browser = await this.browsers.of(request, response);
    await this.flow.continue(pending, { request, response, browser });
  }

  @Post('sign-in')
  async signIn(@Req() request: Request, @Res() response: Response): Promise<void> {
    const pending = this.pendingOf(request);
    const browser = await this.browsers.of(request, response);
    this.browsers.checkForm(request, browser);
    const page = await this.flow.signInPageOf(pending, { request, response, browser });
    if (await this.signIns.attempt(browser, page)) this.flow.goOn(pending, { request, response });
  }

  @Post('consent')
  async consent(@Req() request: Request, @Res() response: Response): Promise<void> {
    const pending = this.pendingOf(request);
    const browser = await this.browsers.of(request, response);
    this.browsers.checkForm(request, browser);
    const allowed = parametersOf(request).get('decision') === 'allow';
    await this.flow.decide(pending, allowed, { request, response, browser });
  }

  @All()
  methodNotAllowed(): never {
    throw new AuthError('method_not_allowed', { reason: 'METHOD_NOT_ALLOWED', headers: { Allow: 'GET, POST' } });
  }

  private pendingOf(request: Request): PendingAuthorization {
    return this.tickets.open<PendingAuthorization>('authorization', parametersOf(request).get('ticket'));
  }
}
