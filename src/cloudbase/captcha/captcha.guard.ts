import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { AuthError } from '../../base/errors/auth.error.js';
import { Parameters } from '../../base/http/parameters.js';
import { Captcha } from './captcha.js';

/** Asks for a captcha where the host wants one; the SDK then repeats its request with `?captcha_token=`. */
@Injectable()
export class CaptchaGuard implements CanActivate {
  constructor(private readonly captcha: Captcha) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    if (!(await this.captcha.demands({ path: request.path, ip: request.ip }))) return true;
    const token = new Parameters(request.query).get('captcha_token');
    if (token === undefined) throw new AuthError('captcha_required', { reason: 'CAPTCHA_REQUIRED' });
    if (await this.captcha.redeem(token)) return true;
    throw new AuthError('captcha_invalid', { reason: 'CAPTCHA_INVALID' });
  }
}
