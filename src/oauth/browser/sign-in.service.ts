import { Injectable } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { Clock } from '../../base/clock.js';
import type { CaptchaChallenge } from '../../core/captcha/captcha.js';
import { CaptchaService } from '../../core/captcha/captcha.service.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { languageOf } from '../../base/http/language.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { PRINTABLE } from '../../base/http/rules.js';
import { withQuery } from '../../base/http/with-query.js';
import type { Views } from '../pages/views.js';
import { PageService, type SignInPage } from '../pages/page.service.js';
import { Attempts } from '../../core/throttling/attempts.js';
import { MAX_PASSWORD, MAX_SENT_USERNAME } from '../../core/users/rules.js';
import { MAX_USERNAME, normalizeUsername } from '../../core/users/username.js';
import { refusalOf, type User, versionOf } from '../../core/users/users.js';
import { type Browser, BrowserService } from './browser.service.js';

/** Takes what was typed into a sign-in page. */
@Injectable()
export class SignInService {
  constructor(
    private readonly attempts: Attempts,
    private readonly captcha: CaptchaService,
    private readonly browsers: BrowserService,
    private readonly pages: PageService,
    private readonly catalogue: Catalogue,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  /** Shows a sign-in page, with a riddle where the host wants one solved. */
  async show([http, name, view, settings]: SignInPage): Promise<void> {
    const challenge = await this.captcha.challenge(http, 'sign_in');
    if (!challenge) return this.pages.send(http, name, view, settings);
    this.pages.send(http, name, { ...view, captcha: riddle(challenge) }, { ...settings, images: ['data:'] });
  }

  /**
   * Signs the browser in. A form that was drawn before the browser signed in (a second tab, a second click) does nothing
   * more, but who is signed in is led on by it.
   * @param page what to show again where username or password is wrong, or a captcha is to be solved
   * @returns false where it was: the page has been sent
   * @throws AuthError permission_denied where the form is not ours
   */
  async attempt(browser: Browser, page: SignInPage): Promise<boolean> {
    const [http, name, view, settings] = page;
    const { parameters, requestId } = http;
    const isCurrent = this.browsers.checkForm(http, browser);
    const username = bounded(parameters.get('username'), MAX_SENT_USERNAME);
    if (!isCurrent) {
      const signedInAs = browser.session!.username;
      // somebody else is not to find themselves in that user's account: they sign in on a page of this cookie
      if (username !== undefined && shown(username) === signedInAs) return true;
      await this.show([http, name, { ...view, username, signedInAs }, { ...settings, status: 400 }]);
      return false;
    }
    const authenticatedAt = this.clock.now(); // before the check, so that a password change during it counts
    const password = bounded(parameters.get('password'), MAX_PASSWORD);
    const user = (await this.captchaFailure(http)) ?? (await this.verify(http, username, password));
    if (user instanceof AuthError) {
      this.audit.record({ event: 'sign_in_failed', requestId, grantType: 'browser', reason: user.reason });
      const problem = this.catalogue.sentence(user)[settings.language ?? languageOf(http)];
      await this.show([http, name, { ...view, username, problem }, { ...settings, status: 400 }]);
      return false;
    }
    const { sub } = user;
    await this.browsers.signIn(http, browser, {
      sub,
      username: shown(username!),
      authenticated_at: authenticatedAt,
      credentials_version: versionOf(user),
    });
    this.audit.record({ event: 'browser_sign_in', requestId, sub });
    return true;
  }

  /** Before the password is looked at: its answer tells nothing to who has not solved the riddle. */
  private async captchaFailure(http: HttpExchange): Promise<AuthError | undefined> {
    try {
      await this.captcha.check(http, 'sign_in');
    } catch (error) {
      if (error instanceof AuthError) return error;
      throw error;
    }
  }

  /** @returns the user, or why they are not let in */
  private async verify(http: HttpExchange, username?: string, password?: string): Promise<User | AuthError> {
    const user =
      username === undefined || password === undefined
        ? undefined
        : await this.attempts.password(username, password, (sub) => this.browsers.knownBy(http, sub));
    if (!user) return new AuthError('invalid_argument', { reason: 'WRONG_USERNAME_OR_PASSWORD' });
    return refusalOf(user) ?? user;
  }
}

/** A username as the pages show it to its user. */
function shown(username: string): string {
  return normalizeUsername(username).slice(0, MAX_USERNAME);
}

/** CloudBase's SDK opens a page's address with these parameters. */
function riddle({ token, data }: CaptchaChallenge): NonNullable<Views['sign-in']['captcha']> {
  if (data.startsWith('data:')) return { token, image: data };
  return { token, page: withQuery(data, { state: '', token }) };
}

/** What is longer than any could be, or has control characters, is as wrong as any other. */
function bounded(value: string | undefined, max: number): string | undefined {
  return value !== undefined && value.length <= max && PRINTABLE.pattern.test(value) ? value : undefined;
}
