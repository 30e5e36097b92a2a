import { Inject, Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { ROUTE_PREFIX } from '../../base/http/route-prefix.js';
import { Captcha, type CaptchaAction, type CaptchaChallenge } from './captcha.js';

/** CloudBase's route for each action, below the prefix: what a host protects there is protected at every other door, too. */
const ROUTES: Record<CaptchaAction, string> = {
  sign_in: '/signin',
  sign_in_anonymously: '/signin/anonymously',
  sign_up: '/signup',
  send_code: '/verification',
};

/** Longest token, riddle or answer that a host is asked about, in characters. */
const MAX_SENT = 2048;

/** Asks for a captcha where the host wants one, by whichever door its action comes. */
@Injectable()
export class CaptchaService {
  constructor(
    private readonly captcha: Captcha,
    @Inject(ROUTE_PREFIX) private readonly prefix: string,
  ) {}

  /**
   * Lets a request pass that brings a solved captcha, or need not: `captcha_token` in the query, as CloudBase's SDK sends
   * it, or in the body; or a page's riddle with its answer.
   * @param action undefined: none that a captcha could protect
   * @throws AuthError captcha_required, captcha_invalid
   */
  async check(http: HttpExchange, action: CaptchaAction | undefined): Promise<void> {
    if (action === undefined || !(await this.isDemanded(http, action))) return;
    const token = http.query.get('captcha_token') ?? http.parameters.get('captcha_token') ?? (await this.solved(http));
    if (token === undefined) throw new AuthError('captcha_required', { reason: 'CAPTCHA_REQUIRED' });
    if (token.length > MAX_SENT || !(await this.captcha.redeem(token))) throw invalid();
  }

  /** A riddle for a page, whose form sends its token as `captcha_riddle` and what was typed as `captcha_answer`. */
  async challenge(http: HttpExchange, action: CaptchaAction): Promise<CaptchaChallenge | undefined> {
    return (await this.isDemanded(http, action)) ? this.captcha.create('') : undefined;
  }

  private async isDemanded({ path, ip }: HttpExchange, action: CaptchaAction): Promise<boolean> {
    for (const asked of new Set([path, this.prefix + ROUTES[action]])) {
      if (await this.captcha.demands({ action, path: asked, ip })) return true;
    }
    return false;
  }

  private async solved({ parameters }: HttpExchange): Promise<string | undefined> {
    const riddle = parameters.get('captcha_riddle');
    const answer = parameters.get('captcha_answer');
    if (riddle === undefined || answer === undefined) return undefined;
    const isSane = riddle.length <= MAX_SENT && answer.length <= MAX_SENT;
    const solution = isSane ? await this.captcha.verify(riddle, answer) : undefined;
    if (!solution) throw invalid();
    return solution.captcha_token;
  }
}

function invalid(): AuthError {
  return new AuthError('captcha_invalid', { reason: 'CAPTCHA_INVALID' });
}
