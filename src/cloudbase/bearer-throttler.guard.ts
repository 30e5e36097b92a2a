import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../base/auth.options.js';
import { AuthError } from '../base/errors/auth.error.js';
import { exchangeOf } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { AccessTokenService } from '../core/sessions/access-token.service.js';
import { PresentedTokens } from '../core/sessions/presented-tokens.js';
import { RefreshTokens } from '../core/sessions/refresh-token.js';
import { Limits } from '../core/throttling/limits.js';
import { Users } from '../core/users/users.js';
import { accountNamed, AuthThrottlerGuard } from '../core/throttling/auth-throttler.guard.js';

/**
 * Routes of a signed-in user. A genuine access token counts against its own session; anything else is a guess and counts
 * against the address. A password tried here spends the budget of the account, as at sign-in.
 */
@Injectable()
export class BearerThrottlerGuard extends AuthThrottlerGuard {
  constructor(
    @Inject(Limits) limits: Limits,
    @Inject(Reflector) reflector: Reflector,
    @Inject(AUTH_OPTIONS) auth: ResolvedAuthOptions,
    refreshTokens: RefreshTokens,
    accessTokens: AccessTokenService,
    private readonly tokens: PresentedTokens,
    private readonly users: Users,
  ) {
    super(limits, reflector, auth, refreshTokens, accessTokens);
  }

  /** A client that such a request names may be its subject rather than its sender, so a contradiction is none. */
  protected override clientOf(http: HttpExchange): string | undefined {
    try {
      return super.clientOf(http);
    } catch (error) {
      if (error instanceof AuthError) return undefined;
      throw error;
    }
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    const token = await this.tokens.peek(http);
    if (!token) return super.canActivate(context);
    await this.spend(context, 'session', `access ${token.sid ?? token.client_id}`);
    if (http.parameters.peek('password') === undefined) return true;
    const username = (await this.users.profile(token.sub))?.username;
    return this.spend(context, 'account', accountNamed(username ?? token.sub));
  }
}
