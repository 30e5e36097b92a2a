import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { AccessTokenService } from '../core/sessions/access-token.service.js';
import { PresentedTokens, sentToken } from '../core/sessions/presented-tokens.js';
import { RefreshTokens } from '../core/sessions/refresh-token.js';
import { SessionService } from '../core/sessions/session.service.js';
import { Limits } from '../core/throttling/limits.js';
import { AuthThrottlerGuard, type Presented } from '../core/throttling/auth-throttler.guard.js';

/** Routes of a signed-in user: what they present is their access token. Anything else counts against the address. */
@Injectable()
export class BearerThrottlerGuard extends AuthThrottlerGuard {
  constructor(
    limits: Limits,
    reflector: Reflector,
    refreshTokens: RefreshTokens,
    accessTokens: AccessTokenService,
    sessions: SessionService,
    private readonly tokens: PresentedTokens,
  ) {
    super(limits, reflector, refreshTokens, accessTokens, sessions);
  }

  /** One that is bound to a key is nobody's without a proof of that key. */
  protected override async presented(http: HttpExchange): Promise<Presented> {
    return (await this.tokens.peek(http)) ? { token: sentToken(http)!.token } : {};
  }
}
