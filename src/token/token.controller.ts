import { All, Controller, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { CaptchaService } from '../core/captcha/captcha.service.js';
import { methodNotAllowed } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import type { Parameters } from '../base/http/parameters.js';
import { Parties } from '../core/sessions/parties.js';
import { AuthThrottlerGuard, type Presented, Presents } from '../core/throttling/auth-throttler.guard.js';
import { GrantService } from './grant.service.js';
import { ParametersGuard } from '../base/http/parameters.guard.js';

/** `POST /auth/v1/token`: get or refresh a token (RFC 6749 §3.2). */
@Controller({ path: 'auth/v1/token', version: VERSION_NEUTRAL })
@UseFilters(AuthExceptionFilter)
export class TokenController {
  constructor(
    private readonly parties: Parties,
    private readonly captcha: CaptchaService,
    protected readonly grants: GrantService,
  ) {}

  @Post()
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  @Presents(presented)
  async token(@Http() http: HttpExchange): Promise<void> {
    const party = await this.parties.of(http);
    await this.captcha.check(http, this.grants.captchaFor(http.parameters.peek('grant_type')));
    http.json(200, await this.grants.exchange(party, this.parametersOf(http)));
  }

  /** What this dialect of the endpoint reads. */
  protected parametersOf({ parameters }: HttpExchange): Parameters {
    return parameters;
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('POST');
  }
}

/** What has a budget of its own: a session that refreshes, an account that signs in. */
function presented(parameters: Parameters): Presented {
  const grantType = parameters.peek('grant_type');
  return {
    token: grantType === 'refresh_token' ? parameters.peek('refresh_token') : undefined,
    username: grantType === 'password' ? parameters.peek('username') : undefined,
  };
}
