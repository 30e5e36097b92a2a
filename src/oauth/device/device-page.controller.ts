import { Controller, Get, Inject, Post, Req, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { type Browser, BrowserService } from '../browser/browser.service.js';
import { PageGuard } from '../browser/page.guard.js';
import { SignInService } from '../browser/sign-in.service.js';
import { ClientService } from '../../core/clients/client.service.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { languageOf } from '../../base/http/language.js';
import { localPath } from '../../base/http/local-path.js';
import { parametersOf } from '../../base/http/parameters.js';
import { seeOther } from '../../base/http/see-other.js';
import { PageExceptionFilter } from '../pages/page-exception.filter.js';
import { PageService, type SignInPage } from '../pages/page.service.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';

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
    private readonly pages: PageService,
    private readonly catalogue: Catalogue,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  @Get()
  async enter(@Req() request: Request, @Res() response: Response): Promise<void> {
    const browser = await this.browsers.of(request, response);
    if (browser.session) this.showEntry(request, response, browser);
    else this.pages.send(...this.signInPage(request, response, browser));
  }

  @Post('sign-in')
  async signIn(@Req() request: Request, @Res() response: Response): Promise<void> {
    const browser = await this.browsers.of(request, response);
    this.browsers.checkForm(request, browser);
    const page = this.signInPage(request, response, browser);
    if (await this.signIns.attempt(browser, page)) this.backToEntry(request, response);
  }

  /** A code from the query is never enough: it has to be sent from our form (RFC 8628 §5.4). */
  @Post()
  async check(@Req() request: Request, @Res() response: Response): Promise<void> {
    const browser = await this.browsers.of(request, response);
    this.browsers.checkForm(request, browser);
    if (!browser.session) return this.backToEntry(request, response);
    const userCode = userCodeOf(request);
    const pending = userCode === undefined ? undefined : await this.devices.findPending(userCode);
    const client = pending && (await this.clients.find(pending.client_id))?.client;
    if (!client || client.disabled) return this.showEntry(request, response, browser, unknownCode());
    const action = localPath(this.options, '/device/answer');
    const { username } = browser.session;
    const view = { action, userCode: spelled(userCode!), client: client.name, scope: pending.scope, username };
    this.pages.send(request, response, 'device-confirm', view, { csrf: browser.csrf });
  }

  @Post('answer')
  async answer(@Req() request: Request, @Res() response: Response): Promise<void> {
    const browser = await this.browsers.of(request, response);
    this.browsers.checkForm(request, browser);
    if (!browser.session) return this.backToEntry(request, response);
    const allowed = parametersOf(request).get('decision') === 'allow';
    const { sub, authenticated_at } = browser.session;
    const userCode = userCodeOf(request) ?? '';
    const done = await (allowed ? this.devices.approve(userCode, sub, authenticated_at) : this.devices.deny(userCode));
    if (!done) return this.showEntry(request, response, browser, unknownCode());
    this.pages.send(request, response, 'device-done', { allowed });
  }

  private showEntry(request: Request, response: Response, { session, csrf }: Browser, error?: AuthError): void {
    const view = {
      action: localPath(this.options, '/device'),
      userCode: userCodeOf(request),
      username: session!.username,
      signOut: localPath(this.options, '/oauth2/logout'),
      problem: error && this.catalogue.sentence(error)[languageOf(request)],
    };
    this.pages.send(request, response, 'device', view, { csrf, status: error ? 400 : 200 });
  }

  private signInPage(request: Request, response: Response, { csrf }: Browser): SignInPage {
    const userCode = userCodeOf(request);
    const view = {
      action: localPath(this.options, '/device/sign-in'),
      hidden: { ...(userCode !== undefined && { user_code: userCode }) },
    };
    return [request, response, 'sign-in', view, { csrf }];
  }

  private backToEntry(request: Request, response: Response): void {
    const userCode = userCodeOf(request);
    const query = userCode === undefined ? '' : `?${new URLSearchParams({ user_code: userCode }).toString()}`;
    seeOther(request, response, localPath(this.options, `/device${query}`));
  }
}

/** What may be a user code at all. */
function userCodeOf(request: Request): string | undefined {
  const sent = parametersOf(request).get('user_code');
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
