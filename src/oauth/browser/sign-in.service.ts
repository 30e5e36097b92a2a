import { Injectable } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { languageOf } from '../../base/http/language.js';
import { PRINTABLE } from '../../base/http/rules.js';
import { PageService, type SignInPage } from '../pages/page.service.js';
import { MAX_PASSWORD, MAX_SENT_USERNAME } from '../../core/users/rules.js';
import { MAX_USERNAME, normalizeUsername } from '../../core/users/username.js';
import { Users } from '../../core/users/users.js';
import { type Browser, BrowserService } from './browser.service.js';

/** Takes what was typed into a sign-in page. */
@Injectable()
export class SignInService {
  constructor(
    private readonly users: Users,
    private readonly browsers: BrowserService,
    private readonly pages: PageService,
    private readonly catalogue: Catalogue,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  /**
   * Signs the browser in. A form that was drawn before the browser signed in (a second tab, a second click) does nothing
   * more, but who is signed in is led on by it.
   * @param page what to show again where username or password is wrong
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
      this.pages.send(http, name, { ...view, username, signedInAs }, { ...settings, status: 400 });
      return false;
    }
    const authenticatedAt = this.clock.now(); // before the check, so that a password change during it counts
    const failure = await this.verify(username, bounded(parameters.get('password'), MAX_PASSWORD));
    if (failure instanceof AuthError) {
      this.audit.record({ event: 'sign_in_failed', requestId, grantType: 'browser', reason: failure.reason });
      const problem = this.catalogue.sentence(failure)[settings.language ?? languageOf(http)];
      this.pages.send(http, name, { ...view, username, problem }, { ...settings, status: 400 });
      return false;
    }
    const sub = failure;
    await this.browsers.signIn(http, browser, {
      sub,
      username: shown(username!),
      authenticated_at: authenticatedAt,
    });
    this.audit.record({ event: 'browser_sign_in', requestId, sub });
    return true;
  }

  /** @returns the user's sub, or why not */
  private async verify(username: string | undefined, password: string | undefined): Promise<string | AuthError> {
    const user =
      username === undefined || password === undefined
        ? undefined
        : await this.users.verify(normalizeUsername(username), password);
    if (!user) return new AuthError('invalid_argument', { reason: 'WRONG_USERNAME_OR_PASSWORD' });
    return user.disabled ? new AuthError('permission_denied', { reason: 'USER_DISABLED' }) : user.sub;
  }
}

/** A username as the pages show it to its user. */
function shown(username: string): string {
  return normalizeUsername(username).slice(0, MAX_USERNAME);
}

/** What is longer than any could be, or has control characters, is as wrong as any other. */
function bounded(value: string | undefined, max: number): string | undefined {
  return value !== undefined && value.length <= max && PRINTABLE.pattern.test(value) ? value : undefined;
}
