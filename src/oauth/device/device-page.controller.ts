import { Get, Inject, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { BrowserSession } from '../browser/browser-session.entity.js';
import { type Browser, BrowserService } from '../browser/browser.service.js';
import { BrowserSessionService } from '../browser/browser-session.service.js';
import { PageGuard } from '../browser/page.guard.js';
import { SignInService } from '../browser/sign-in.service.js';
import { ClientService } from '../../core/clients/client.service.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { localPath } from '../../base/http/local-path.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { languageOf } from '../../base/http/language.js';
import { PageExceptionFilter } from '../pages/page-exception.filter.js';
import { PageService, type SignInPage } from '../pages/page.service.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';
import { spelledUserCode } from '../../core/devices/user-code.js';
import { Attempts } from '../../core/throttling/attempts.js';
import { Operation } from '../../base/openapi/operation.js';

/** `/device`: where a user who is signed in types the code that a device shows, and answers (RFC 8628 §3.3). */
@AuthController('device')
@UseFilters(PageExceptionFilter)
@UseGuards(PageGuard)
export class DevicePageController {
  constructor(
    private readonly devices: DeviceAuthorizationService,
    private readonly clients: ClientService,
    private readonly browsers: BrowserService,
    private readonly sessions: BrowserSessionService,
    private readonly signIns: SignInService,
    private readonly attempts: Attempts,
    private readonly pages: PageService,
    private readonly catalogue: Catalogue,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  @Get()
  @Operation({ summary: 'The page where a user types the code of a device', by: 'anybody', answer: 'page' })
  async enter(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    if (browser.session) this.showEntry(http, browser);
    else await this.signIns.show(this.signInPage(http, browser));
  }

  @Post('sign-in')
  async signIn(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    const page = this.signInPage(http, browser);
    if (await this.signIns.attempt(browser, page)) this.backToEntry(http);
  }

  /** A code from the query is never enough: it has to be sent from our form (RFC 8628 §5.4). */
  @Post()
  async check(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    if (!this.browsers.checkForm(http, browser) || !browser.session) return this.backToEntry(http);
    await this.ask(http, browser, browser.session);
  }

  @Post('answer')
  async answer(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    const isDecision = this.browsers.checkDecision(http, browser);
    if (!browser.session) return this.backToEntry(http);
    if (!isDecision) return this.ask(http, browser, browser.session);
    const { id, sub, authenticated_at, credentials_version } = browser.session;
    const allowed = http.parameters.get('decision') === 'allow';
    const userCode = userCodeOf(http) ?? '';
    const answered = allowed ? 'approved' : 'denied';
    const isDone = await this.attempts.userCode(http, async () => {
      const done = await (allowed
        ? this.devices.approve(userCode, sub, authenticated_at, credentials_version, id)
        : this.devices.deny(userCode, id));
      // a sign-out that was answered since then did not see this approval
      if (allowed && !(await this.sessions.isThere(id))) await this.devices.withdraw({ sub });
      return done || (await this.devices.answeredBy(userCode, sub, id)) === answered || undefined;
    });
    if (isDone) this.showDone(http, answered);
    else this.showEntry(http, browser, unknownCode());
  }

  /** Asks whether to connect, and from now on nobody but this browser. */
  private async ask(http: HttpExchange, browser: Browser, { id, sub, username }: BrowserSession): Promise<void> {
    const userCode = userCodeOf(http);
    if (userCode === undefined) return this.showEntry(http, browser, unknownCode());
    const found = await this.attempts.userCode(
      http,
      async () => (await this.devices.claim(userCode, id)) ?? this.devices.answeredBy(userCode, sub, id),
    );
    if (typeof found === 'string') return this.showDone(http, found);
    const client = found && (await this.clients.find(found.client_id))?.client;
    if (!client || client.disabled) return this.showEntry(http, browser, unknownCode());
    const action = localPath(this.options, '/device/answer');
    const view = { action, userCode: spelledUserCode(userCode), client: client.name, scope: found.scope, username };
    this.pages.send(http, 'device-confirm', view, { csrf: browser.csrf });
  }

  private showDone(http: HttpExchange, answered: 'approved' | 'denied'): void {
    const ways = [{ href: localPath(this.options, '/device'), text: 'device-done.again' }];
    this.pages.send(http, 'device-done', { allowed: answered === 'approved', ways });
  }

  private showEntry(http: HttpExchange, { session, csrf }: Browser, error?: AuthError): void {
    const view = {
      action: localPath(this.options, '/device'),
      userCode: userCodeOf(http),
      username: session!.username,
      signOut: localPath(this.options, '/oauth2/logout'),
      problem: error && this.catalogue.sentence(error)[languageOf(http)],
    };
    this.pages.send(http, 'device', view, { csrf, status: error ? 400 : 200 });
  }

  private signInPage(http: HttpExchange, { csrf }: Browser): SignInPage {
    const userCode = userCodeOf(http);
    const view = {
      action: localPath(this.options, '/device/sign-in'),
      hidden: { ...(userCode !== undefined && { user_code: userCode }) },
    };
    return [http, 'sign-in', view, { csrf }];
  }

  private backToEntry(http: HttpExchange): void {
    const userCode = userCodeOf(http);
    const query = userCode === undefined ? '' : `?${new URLSearchParams({ user_code: userCode }).toString()}`;
    http.seeOther(localPath(this.options, `/device${query}`));
  }
}

/** Letters and digits, with dashes and spaces of any kind. */
const MAYBE_CODE = /^(?=.*[A-Za-z0-9])[A-Za-z0-9\p{Pd}\p{Zs}\p{Cf}\u2043\u2212\u30fc]{1,32}$/u;

/** What may be a user code at all. */
function userCodeOf(http: HttpExchange): string | undefined {
  const sent = http.parameters.get('user_code');
  return sent !== undefined && MAYBE_CODE.test(sent.normalize('NFKC')) ? sent : undefined;
}

function unknownCode(): AuthError {
  return new AuthError('invalid_argument', { reason: 'USER_CODE_INVALID' });
}
