import { All, Get, Head, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { BrowserService } from '../browser/browser.service.js';
import { PageGuard } from '../browser/page.guard.js';
import { SignInService } from '../browser/sign-in.service.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { methodNotAllowed } from '../../base/errors/auth.error.js';
import { Http } from '../../base/http/exchange-of.js';
import { type HttpExchange, NO_STORE } from '../../base/http/http-exchange.js';
import { AuthorizationExceptionFilter } from './authorization-exception.filter.js';
import { AuthorizationFlow } from './authorization-flow.service.js';
import { AuthorizationRequestService } from './authorization-request.service.js';
import { authorizationMetadata } from './metadata.js';
import { Operation } from '../../base/openapi/operation.js';
import { AUTHORIZATION_REQUEST } from '../oauth.models.js';

/** `/oauth2/authorize`: the authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2) and its pages. */
@AuthController('oauth2/authorize')
@UseFilters(AuthorizationExceptionFilter)
@UseGuards(PageGuard)
@PublishesMetadata()
export class AuthorizationController implements MetadataPublisher {
  constructor(
    private readonly requests: AuthorizationRequestService,
    private readonly flow: AuthorizationFlow,
    private readonly browsers: BrowserService,
    private readonly signIns: SignInService,
  ) {}

  metadata(url: (path: string) => string): ServerMetadata {
    return authorizationMetadata(url);
  }

  /** Of HEAD Express makes GET, and these use up a request_uri and give codes out (RFC 9110 §9.2.1: HEAD is safe). */
  @Head(['', 'continue'])
  head(@Http() http: HttpExchange): void {
    http.html(200, '', NO_STORE);
  }

  @Get()
  @Operation({
    summary: 'Sign a user in, and send a code to the redirect_uri',
    by: 'anybody',
    query: AUTHORIZATION_REQUEST,
    answer: 'page',
  })
  async authorize(@Http() http: HttpExchange): Promise<void> {
    const pending = await this.requests.read(http.parameters);
    const browser = await this.browsers.of(http);
    await this.flow.start(pending, { http, browser });
  }

  /** Comes from another site, and so without the cookie: who the user is, is asked after the redirect. */
  @Post()
  @Operation({ summary: 'The same, by POST', by: 'anybody', body: AUTHORIZATION_REQUEST, answer: 'page' })
  async authorizeByPost(@Http() http: HttpExchange): Promise<void> {
    await this.flow.goOn(await this.requests.read(http.parameters), http);
  }

  @Get('continue')
  async continue(@Http() http: HttpExchange): Promise<void> {
    const { value: pending } = await this.requests.resume(http.parameters);
    const browser = await this.browsers.of(http);
    await this.flow.continue(pending, { http, browser });
  }

  @Post('sign-in')
  async signIn(@Http() http: HttpExchange): Promise<void> {
    const { value: pending } = await this.requests.resume(http.parameters);
    const browser = await this.browsers.of(http);
    const page = await this.flow.signInPageOf(pending, { http, browser });
    if (await this.signIns.attempt(browser, page)) await this.flow.goOn(pending, http);
  }

  @Post('consent')
  async consent(@Http() http: HttpExchange): Promise<void> {
    const { value: pending, isStale } = await this.requests.resume(http.parameters);
    const browser = await this.browsers.of(http);
    const isDecision = this.browsers.checkDecision(http, browser) && !isStale;
    if (!isDecision) return this.flow.goOn(pending, http);
    const allowed = http.parameters.get('decision') === 'allow';
    await this.flow.decide(pending, allowed, { http, browser });
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('GET, POST');
  }
}
