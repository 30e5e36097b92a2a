import { Controller, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { IsDefined, IsOptional, MaxLength } from 'class-validator';
import { AuthError } from '../../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../../base/errors/auth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { validated } from '../../base/http/validated.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { Callers } from '../callers.js';
import { Captcha } from './captcha.js';

class ChallengeParameters {
  @IsOptional()
  @MaxLength(2048, { message: 'must be at most 2048 characters' })
  state?: string;
}

class SolutionParameters {
  @IsDefined({ message: 'is required' })
  @MaxLength(2048, { message: 'must be at most 2048 characters' })
  token: string;

  @IsDefined({ message: 'is required' })
  @MaxLength(128, { message: 'must be at most 128 characters' })
  key: string;
}

/** The captchas of a host (Captcha); without one, these routes are unknown. */
@Controller({ path: 'auth/v1/captcha/data', version: VERSION_NEUTRAL })
@UseFilters(AuthExceptionFilter)
@UseGuards(ParametersGuard, AuthThrottlerGuard)
export class CaptchaController {
  constructor(
    private readonly callers: Callers,
    private readonly captcha: Captcha,
  ) {}

  @Post()
  async create(@Http() http: HttpExchange): Promise<void> {
    await this.callers.party(http);
    const { state = '' } = validated(ChallengeParameters, http.parameters);
    http.json(200, { type: 'image', ...(await this.captcha.create(state)) });
  }

  @Post('verify')
  async verify(@Http() http: HttpExchange): Promise<void> {
    await this.callers.party(http);
    const { token, key } = validated(SolutionParameters, http.parameters);
    const solved = await this.captcha.verify(token, key);
    if (!solved) throw new AuthError('captcha_invalid', { reason: 'CAPTCHA_INVALID' });
    http.json(200, solved);
  }
}
