import { Controller, Get, Inject, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { type Browser, BrowserService } from '../browser/browser.service.js';
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
import { Attempts } from '../../core/throttling/attempts.js';

/** `/device`: where a user who is signed in types the code that a device shows, and answers (RFC 8628 §3.3). */
@Controller({ path: 'device', version: VERSION_NEUTRAL })
@UseFilters(PageExceptionFilter)
@UseGuards(PageGuard)
export class DevicePageController {
  constructor(
    private readonly devices: DeviceAuthorizationService,
    private readonly clients: ClientService,
    private readonly browsers: BrowserService,
    private readonly signIns: SignInService,
    private readonly attempts: Attempts,
    private readonly pages: PageService,
    private readonly catalogue: Catalogue,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  @Get()
  async enter(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    if (browser.session) this.showEntry(http, browser);
    else this.pages.send(...this.signInPage(http, browser));
  }

  @Post('sign-in')
  async signIn(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    this.browsers.checkForm(http, browser);
    const page = this.signInPage(http, browser);
    if (await this.signIns.attempt(browser, page)) this.backToEntry(http);
  }

  /** A code from the query is never enough: it has to be sent from our form (RFC 8628 §5.4). */
  @Post()
  async check(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    this.browsers.checkForm(http, browser);
    if (!browser.session) return this.backToEntry(http);
    const userCode = userCodeOf(http) ?? '';
    const pending = await this.attempts.userCode(http, () => this.devices.findPending(userCode));
    const client = pending && (await this.clients.find(pending.client_id))?.client;
    if (!client || client.disabled) return this.showEntry(http, browser, unknownCode());
    const action = localPath(this.options, '/device/answer');
    const { username } = browser.session;
    const view = { action, userCode: spelled(userCode), client: client.name, scope: pending.scope, username };
    this.pages.send(http, 'device-confirm', view, { csrf: browser.csrf });
  }

  @Post('answer')
  async answer(@Http() http: HttpExchange): Promise<void> {
    const browser = await this.browsers.of(http);
    this.browsers.checkForm(http, browser);
    if (!browser.session) return this.backToEntry(http);
    const allowed = http.parameters.get('decision') === 'allow';
    const { sub, authenticated_at } = browser.session;
    const userCode = userCodeOf(http) ?? '';
    const answer = () =>
      allowed ? this.devices.approve(userCode, sub, authenticated_at) : this.devices.deny(userCode);
    const done = await this.attempts.userCode(http, async () => (await answer()) || undefined);
    if (!done) return this.showEntry(http, browser, unknownCode());
    this.pages.send(http, 'device-done', { allowed });
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

/** What may be a user code at all. */
function userCodeOf(http: HttpExchange): string | undefined {
  const sent = http.parameters.get('user_code');
  return sent !== undefined && /^[A-Za-z0-9 -]{1,32}$/.test(sent) ? sent : undefined;
}

/** As the device shows it. */
function spelled(userCode: string): string {
  const letters = userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

function unknownCode(): AuthError {
  return new AuthError('invalid_argument', { reason: 'USER_CODE_INVALID' });
}
