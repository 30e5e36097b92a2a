import { Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../../base/errors/auth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { Text } from '../../base/http/rules.js';
import { validated } from '../../base/http/validated.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { Callers } from '../callers.js';
import { Captcha } from '../../core/captcha/captcha.js';
import { Operation } from '../../base/openapi/operation.js';
import { CAPTCHA, CAPTCHA_SOLVED } from '../cloudbase.models.js';

class ChallengeParameters {
  @Text({ max: 2048 })
  state?: string;
}

class SolutionParameters {
  @Text({ max: 2048, required: true })
  token: string;

  @Text({ max: 128, required: true })
  key: string;
}

/** The captchas of a host (Captcha); without one, these routes are unknown. */
@AuthController('captcha/data')
@UseFilters(AuthExceptionFilter)
@UseGuards(ParametersGuard, AuthThrottlerGuard)
export class CaptchaController {
  constructor(
    private readonly callers: Callers,
    private readonly captcha: Captcha,
  ) {}

  @Post()
  @Operation({ summary: 'A riddle', by: 'client', body: ChallengeParameters, answer: CAPTCHA, refusals: [404] })
  async create(@Http() http: HttpExchange): Promise<void> {
    await this.callers.party(http);
    const { state = '' } = validated(ChallengeParameters, http.parameters);
    http.json(200, { type: 'image', ...(await this.captcha.create(state)) });
  }

  @Post('verify')
  @Operation({
    summary: 'Exchange a solved riddle for a captcha token',
    by: 'client',
    body: SolutionParameters,
    answer: CAPTCHA_SOLVED,
    refusals: [404],
  })
  async verify(@Http() http: HttpExchange): Promise<void> {
    await this.callers.party(http);
    const { token, key } = validated(SolutionParameters, http.parameters);
    const solved = await this.captcha.verify(token, key);
    if (!solved) throw new AuthError('captcha_invalid', { reason: 'CAPTCHA_INVALID' });
    http.json(200, solved);
  }
}
