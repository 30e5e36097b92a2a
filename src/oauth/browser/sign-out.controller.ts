import { All, Controller, Get, Head, Inject, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { AuditSink } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { formActionOf } from '../../core/codes/redirect-uri.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Http } from '../../base/http/exchange-of.js';
import { type HttpExchange, NO_STORE } from '../../base/http/http-exchange.js';
import { localPath } from '../../base/http/local-path.js';
import { languageOf } from '../../base/http/language.js';
import { PageExceptionFilter } from '../pages/page-exception.filter.js';
import { PageService } from '../pages/page.service.js';
import { type Browser, BrowserService } from './browser.service.js';
import { PageGuard } from './page.guard.js';
import { type SignOutRequest, SignOutRequestService } from './sign-out-request.service.js';
import { TicketService } from './ticket.service.js';

/** `/oauth2/logout`: the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0). */
@Controller({ path: 'oauth2/logout', version: VERSION_NEUTRAL })
@UseFilters(PageExceptionFilter)
@UseGuards(PageGuard)
export class SignOutController {
  constructor(
    private readonly requests: SignOutRequestService,
    private readonly browsers: BrowserService,
    private readonly tickets: TicketService,
    private readonly pages: PageService,
    private readonly audit: AuditSink,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** RFC 9110 §9.2.1: HEAD signs nobody out. */
  @Head(['', 'confirm'])
  head(@Http() http: HttpExchange): void {
    http.html(200, '', NO_STORE);
  }

  @Get()
  async signOut(@Http() http: HttpExchange): Promise<void> {
    const wanted = await this.requests.read(http.parameters);
    await this.proceed(wanted, http);
  }

  /** Comes from another site, and so without the cookie: see AuthorizationController. */
  @Post()
  async signOutByPost(@Http() http: HttpExchange): Promise<void> {
    const ticket = await this.tickets.forAddress('sign-out', await this.requests.read(http.parameters));
    http.seeOther(localPath(this.options, `/oauth2/logout/confirm?ticket=${ticket}`));
  }

  @Get('confirm')
  async ask(@Http() http: HttpExchange): Promise<void> {
    await this.proceed(await this.wantedBy(http), http);
  }

  @Post('confirm')
  async confirm(@Http() http: HttpExchange): Promise<void> {
    const wanted = await this.wantedBy(http);
    const browser = await this.browsers.of(http);
    this.browsers.checkForm(http, browser);
    await this.end(wanted, browser, http);
  }

  @All()
  methodNotAllowed(): never {
    throw new AuthError('method_not_allowed', { reason: 'METHOD_NOT_ALLOWED', headers: { Allow: 'GET, POST' } });
  }

  private async proceed(wanted: SignOutRequest, http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    // §2: without a hint about this very user it may be anybody's idea, so the user is asked
    if (!browser.session || browser.session.sub === wanted.sub) return this.end(wanted, browser, http);
    const view = {
      action: localPath(this.options, '/oauth2/logout/confirm'),
      hidden: { ticket: this.tickets.seal('sign-out', wanted) },
      username: browser.session.username,
    };
    this.pages.send(http, 'sign-out', view, {
      csrf: browser.csrf,
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
    if (wanted.location !== undefined) http.seeOther(wanted.location);
    else this.pages.send(http, 'signed-out', {}, { language: languageOf(http, wanted.uiLocales) });
  }

  private wantedBy(http: HttpExchange): Promise<SignOutRequest> {
    return this.tickets.open<SignOutRequest>('sign-out', http.parameters.get('ticket'));
  }
}
