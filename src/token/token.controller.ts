import { All, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../base/http/auth-controller.js';
import { CaptchaService } from '../core/captcha/captcha.service.js';
import { methodNotAllowed } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import type { Parameters } from '../base/http/parameters.js';
import { Parties } from '../core/sessions/parties.js';
import { AuthThrottlerGuard, type Presented, Presents } from '../core/throttling/auth-throttler.guard.js';
import { Limits } from '../core/throttling/limits.js';
import { GrantService } from './grant.service.js';
import { ParametersGuard } from '../base/http/parameters.guard.js';
import type { TokenResponse } from './token-response.js';
import { Operation } from '../base/openapi/operation.js';
import { TOKEN_RESPONSE, tokenRequest } from './token.models.js';

/** `POST /auth/v1/token`: get or refresh a token (RFC 6749 §3.2). */
@AuthController('token')
@UseFilters(AuthExceptionFilter)
export class TokenController {
  constructor(
    private readonly parties: Parties,
    private readonly captcha: CaptchaService,
    private readonly limits: Limits,
    protected readonly grants: GrantService,
  ) {}

  @Post()
  @Operation({ summary: 'Get or refresh a token', by: 'client', bodyOf: tokenRequest, answer: TOKEN_RESPONSE })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  @Presents(presented)
  async token(@Http() http: HttpExchange): Promise<void> {
    http.json(200, await this.limits.settled(http, this.exchange(http)));
  }

  /** What this dialect of the endpoint reads. */
  protected parametersOf({ parameters }: HttpExchange): Parameters {
    return parameters;
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('POST');
  }

  private async exchange(http: HttpExchange): Promise<TokenResponse> {
    const party = await this.parties.of(http);
    await this.captcha.check(http, this.grants.captchaFor(http.parameters.peek('grant_type')));
    return this.grants.exchange(party, this.parametersOf(http));
  }
}

/** A session that refreshes has a budget of its own. */
function presented(parameters: Parameters): Presented {
  return parameters.peek('grant_type') === 'refresh_token' ? { refreshToken: parameters.peek('refresh_token') } : {};
}
