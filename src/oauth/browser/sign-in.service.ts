import { Injectable } from '@nestjs/common';
import { AuditSink } from '../../base/audit.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { languageOf } from '../../base/http/language.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { PRINTABLE } from '../../base/http/rules.js';
import { PageService, type SignInPage } from '../pages/page.service.js';
import { Attempts } from '../../core/throttling/attempts.js';
import { MAX_PASSWORD, MAX_SENT_USERNAME } from '../../core/users/rules.js';
import { MAX_USERNAME, normalizeUsername } from '../../core/users/username.js';
import { type Browser, BrowserService } from './browser.service.js';

/** Takes what was typed into a sign-in page. */
@Injectable()
export class SignInService {
  constructor(
    private readonly attempts: Attempts,
    private readonly browsers: BrowserService,
    private readonly pages: PageService,
    private readonly catalogue: Catalogue,
    private readonly clock: Clock,
    private readonly audit: AuditSink,
  ) {}

  /**
   * Signs the browser in.
   * @param page what to show again where username or password is wrong
   * @returns false where it was: the page has been sent
   */
  async attempt(browser: Browser, page: SignInPage): Promise<boolean> {
    const [http, name, view, settings] = page;
    const { parameters, requestId } = http;
    const username = bounded(parameters.get('username'), MAX_SENT_USERNAME);
    const authenticatedAt = this.clock.now(); // before the check, so that a password change during it counts
    const failure = await this.verify(http, username, bounded(parameters.get('password'), MAX_PASSWORD));
    if (failure instanceof AuthError) {
      this.audit.record({ event: 'sign_in_failed', requestId, grantType: 'browser', reason: failure.reason });
      const problem = this.catalogue.sentence(failure)[settings.language ?? languageOf(http)];
      this.pages.send(http, name, { ...view, username, problem }, { ...settings, status: 400 });
      return false;
    }
    const sub = failure;
    await this.browsers.signIn(http, browser, {
      sub,
      username: normalizeUsername(username!).slice(0, MAX_USERNAME),
      authenticated_at: authenticatedAt,
    });
    this.audit.record({ event: 'browser_sign_in', requestId, sub });
    return true;
  }

  /** @returns the user's sub, or why not */
  private async verify(http: HttpExchange, username?: string, password?: string): Promise<string | AuthError> {
    const user =
      username === undefined || password === undefined
        ? undefined
        : await this.attempts.password(username, password, (sub) => this.browsers.knownBy(http, sub));
    if (!user) return new AuthError('invalid_argument', { reason: 'WRONG_USERNAME_OR_PASSWORD' });
    return user.disabled ? new AuthError('permission_denied', { reason: 'USER_DISABLED' }) : user.sub;
  }
}

/** What is longer than any could be, or has control characters, is as wrong as any other. */
function bounded(value: string | undefined, max: number): string | undefined {
  return value !== undefined && value.length <= max && PRINTABLE.pattern.test(value) ? value : undefined;
}
