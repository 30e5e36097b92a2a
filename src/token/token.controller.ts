import { All, Controller, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { CaptchaService } from '../core/captcha/captcha.service.js';
import { ClientAuthenticator } from '../core/clients/client-authenticator.js';
import { clientCredentialsOf } from '../core/clients/client-credentials.js';
import { DpopProofService } from '../core/dpop/dpop-proof.service.js';
import { methodNotAllowed } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { deviceIdOf } from '../base/http/device-id.js';
import type { Parameters } from '../base/http/parameters.js';
import { AuthThrottlerGuard, type Presented, Presents } from '../core/throttling/auth-throttler.guard.js';
import { GrantService } from './grant.service.js';
import { ParametersGuard } from '../base/http/parameters.guard.js';

/** `POST /auth/v1/token`: get or refresh a token (RFC 6749 §3.2). */
@Controller({ path: 'auth/v1/token', version: VERSION_NEUTRAL })
@UseFilters(AuthExceptionFilter)
export class TokenController {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly captcha: CaptchaService,
    private readonly dpop: DpopProofService,
    protected readonly grants: GrantService,
  ) {}

  @Post()
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  @Presents(presented)
  async token(@Http() http: HttpExchange): Promise<void> {
    const { requestId } = http;
    const client = await this.authenticator.authenticate(clientCredentialsOf(http), requestId);
    await this.captcha.check(http, this.grants.captchaFor(http.parameters.peek('grant_type')));
    const dpopJkt = await this.dpop.accept(http);
    const party = { client, deviceId: deviceIdOf(http), dpopJkt, requestId };
    http.json(200, await this.grants.exchange(party, http.parameters));
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
