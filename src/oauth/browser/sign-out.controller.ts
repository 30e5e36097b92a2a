import { All, Get, Inject, Post, UseFilters, UseGuards, Head } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { Audit } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { formActionOf } from '../../core/codes/redirect-uri.js';
import { methodNotAllowed } from '../../base/errors/auth.error.js';
import { Http } from '../../base/http/exchange-of.js';
import { type HttpExchange, NO_STORE } from '../../base/http/http-exchange.js';
import { localPath } from '../../base/http/local-path.js';
import { languageOf } from '../../base/http/language.js';
import { PageExceptionFilter } from '../pages/page-exception.filter.js';
import { backTo } from '../pages/way.js';
import { PageService } from '../pages/page.service.js';
import { type Browser, BrowserService } from './browser.service.js';
import { PageGuard } from './page.guard.js';
import { type SignOutRequest, SignOutRequestService } from './sign-out-request.service.js';
import { TicketService } from './ticket.service.js';
import { Operation } from '../../base/openapi/operation.js';
import { SIGN_OUT_REQUEST } from '../oauth.models.js';

/** `/oauth2/logout`: the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0). */
@AuthController('oauth2/logout')
@UseFilters(PageExceptionFilter)
@UseGuards(PageGuard)
export class SignOutController {
  constructor(
    private readonly requests: SignOutRequestService,
    private readonly browsers: BrowserService,
    private readonly tickets: TicketService,
    private readonly pages: PageService,
    private readonly audit: Audit,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** RFC 9110 §9.2.1: HEAD signs nobody out. */
  @Head(['', 'confirm'])
  head(@Http() http: HttpExchange): void {
    http.html(200, '', NO_STORE);
  }

  @Get()
  @Operation({ summary: 'Sign a browser out', by: 'anybody', query: SIGN_OUT_REQUEST, answer: 'page' })
  async signOut(@Http() http: HttpExchange): Promise<void> {
    const wanted = await this.requests.read(http.parameters);
    await this.proceed(wanted, await this.browsers.of(http), http);
  }

  /** Comes from another site, and so without the cookie: see AuthorizationController. */
  @Post()
  @Operation({ summary: 'The same, by POST', by: 'anybody', body: SIGN_OUT_REQUEST, answer: 'page' })
  async signOutByPost(@Http() http: HttpExchange): Promise<void> {
    const ticket = await this.tickets.forAddress('sign-out', await this.requests.read(http.parameters));
    http.seeOther(localPath(this.options, `/oauth2/logout/confirm?ticket=${ticket}`));
  }

  @Get('confirm')
  async ask(@Http() http: HttpExchange): Promise<void> {
    await this.proceed(await this.wantedBy(http), await this.browsers.of(http), http);
  }

  @Post('confirm')
  async confirm(@Http() http: HttpExchange): Promise<void> {
    const wanted = await this.wantedBy(http);
    const browser = await this.browsers.of(http);
    if (browser.session && !this.browsers.checkDecision(http, browser)) return this.proceed(wanted, browser, http);
    await this.end(wanted, browser, http); // who is signed out already is told so once more
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('GET, POST');
  }

  private async proceed(wanted: SignOutRequest, browser: Browser, http: HttpExchange): Promise<void> {
    const { session, csrf } = browser;
    // §2: without a hint about this very sign-in it may be anybody's idea, so the user is asked
    if (!session || (await this.requests.isAbout(wanted, session))) return this.end(wanted, browser, http);
    const view = {
      action: localPath(this.options, '/oauth2/logout/confirm'),
      hidden: { ticket: this.tickets.seal('sign-out', wanted) },
      username: session.username,
    };
    this.pages.send(http, 'sign-out', view, {
      csrf,
      formAction: wanted.redirectUri === undefined ? [] : [formActionOf(wanted.redirectUri)],
      language: languageOf(http, wanted.uiLocales),
    });
  }

  private async end(wanted: SignOutRequest, browser: Browser, http: HttpExchange): Promise<void> {
    await this.browsers.signOut(http, browser);
    if (browser.session) {
      const { sub } = browser.session;
      this.audit.record({ event: 'browser_sign_out', requestId: http.requestId, clientId: wanted.clientId, sub });
    }
    if (wanted.location !== undefined) return http.seeOther(wanted.location);
    if (wanted.refused !== undefined) http.refusal = { reason: wanted.refused };
    const ways = backTo(await this.requests.clientOf(wanted)) ?? [
      { href: localPath(this.options, '/device'), text: 'sign-in.title' },
    ];
    this.pages.send(http, 'signed-out', { ways }, { language: languageOf(http, wanted.uiLocales) });
  }

  private async wantedBy(http: HttpExchange): Promise<SignOutRequest> {
    return (await this.tickets.open<SignOutRequest>('sign-out', http.parameters.get('ticket'))).value;
  }
}
