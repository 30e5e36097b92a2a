import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import { exchangeOf } from '../../base/http/exchange-of.js';
import { Captcha } from './captcha.js';

/** Asks for a captcha where the host wants one; the SDK then repeats its request with `?captcha_token=`. */
@Injectable()
export class CaptchaGuard implements CanActivate {
  constructor(private readonly captcha: Captcha) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    if (!(await this.captcha.demands({ path: http.path, ip: http.ip }))) return true;
    const token = http.query.get('captcha_token');
    if (token === undefined) throw new AuthError('captcha_required', { reason: 'CAPTCHA_REQUIRED' });
    if (await this.captcha.redeem(token)) return true;
    throw new AuthError('captcha_invalid', { reason: 'CAPTCHA_INVALID' });
  }
}
