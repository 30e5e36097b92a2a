import { All, Controller, Get, Inject, Post, Req, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AuditSink } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { formActionOf } from '../../core/codes/redirect-uri.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { localPath } from '../../base/http/local-path.js';
import { parametersOf } from '../../base/http/parameters.js';
import { requestIdOf } from '../../base/http/request-id.js';
import { seeOther } from '../../base/http/see-other.js';
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

  @Get()
  async signOut(@Req() request: Request, @Res() response: Response): Promise<void> {
    const wanted = await this.requests.read(parametersOf(request));
    await this.proceed(wanted, request, response);
  }

  /** Comes from another site, and so without the cookie: see AuthorizationController. */
  @Post()
  async signOutByPost(@Req() request: Request, @Res() response: Response): Promise<void> {
    const ticket = this.tickets.seal('sign-out', await this.requests.read(parametersOf(request)));
    seeOther(request, response, localPath(this.options, `/oauth2/logout/confirm?ticket=${ticket}`));
  }

  @Get('confirm')
  async ask(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.proceed(this.wantedBy(request), request, response);
  }

  @Post('confirm')
  async confirm(@Req() request: Request, @Res() response: Response): Promise<void> {
    const wanted = this.wantedBy(request);
    const browser = await this.browsers.of(request, response);
    this.browsers.checkForm(request, browser);
    await this.end(wanted, browser, request, response);
  }

  @All()
  methodNotAllowed(): never {
    throw new AuthError('method_not_allowed', { reason: 'METHOD_NOT_ALLOWED', headers: { Allow: 'GET, POST' } });
  }

  private async proceed(wanted: SignOutRequest, request: Request, response: Response): Promise<void> {
    const browser = await this.browsers.of(request, response);
    // §2: without a hint about this very user it may be anybody's idea, so the user is asked
    if (!browser.session || browser.session.sub === wanted.sub) return this.end(wanted, browser, request, response);
    const view = {
      action: localPath(this.options, '/oauth2/logout/confirm'),
      hidden: { ticket: this.tickets.seal('sign-out', wanted) },
      username: browser.session.username,
    };
    this.pages.send(request, response, 'sign-out', view, {
      csrf: browser.csrf,
      formAction: wanted.redirectUri === undefined ? [] : [formActionOf(wanted.redirectUri)],
      language: languageOf(request, wanted.uiLocales),
    });
  }

  private async end(wanted: SignOutRequest, browser: Browser, request: Request, response: Response): Promise<void> {
    await this.browsers.signOut(response, browser);
    if (browser.session) {
      const { sub } = browser.session;
      this.audit.record({ event: 'browser_sign_out', requestId: requestIdOf(request), clientId: wanted.clientId, sub });
    }
    if (wanted.location !== undefined) seeOther(request, response, wanted.location);
    else this.pages.send(request, response, 'signed-out', {}, { language: languageOf(request, wanted.uiLocales) });
  }

  private wantedBy(request: Request): SignOutRequest {
    return this.tickets.open<SignOutRequest>('sign-out', parametersOf(request).get('ticket'));
  }
}
