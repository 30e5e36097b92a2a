import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { exchangeOf } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { Parameters } from '../../base/http/parameters.js';
import { AccessTokenService } from '../sessions/access-token.service.js';
import { setLivingToken } from '../sessions/living-token.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { SessionService } from '../sessions/session.service.js';
import { Limits } from './limits.js';
import { addressOf, setPayer } from './payer.js';

/** A token that a request presents; while its session is alive, it pays with the session's budget. */
export interface Presented {
  /** Of either kind. */
  token?: string;
  /** One that is about to be exchanged: whether its session is alive, its answer says (Limits.settled). */
  refreshToken?: string;
}

const PRESENTED = 'nest-auth:presented';

/** Says where the route's requests carry such a token; without it they count by address. */
export const Presents = (read: (parameters: Parameters) => Presented) => SetMetadata(PRESENTED, read);

/**
 * Takes every request out of its address's budget. One that presents a token of a living session is outside of that: it
 * counts against the session alone. Guessing, which never has such a token, cannot starve it.
 */
@Injectable()
export class AuthThrottlerGuard implements CanActivate {
  constructor(
    private readonly limits: Limits,
    private readonly reflector: Reflector,
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: SessionService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    const session = await this.sessionOf(http, await this.presented(http, context));
    setPayer(http, session === undefined ? 'address' : 'session');
    if (session === undefined) await this.limits.spend('ip', addressOf(http));
    else await this.limits.spend('session', session);
    return true;
  }

  protected presented(http: HttpExchange, context: ExecutionContext): Presented | Promise<Presented> {
    const read = this.reflector.getAllAndOverride<((from: Parameters) => Presented) | undefined>(PRESENTED, [
      context.getHandler(),
      context.getClass(),
    ]);
    return read?.(http.parameters) ?? {};
  }

  private async sessionOf(http: HttpExchange, { token, refreshToken }: Presented): Promise<string | undefined> {
    if (refreshToken !== undefined) return this.refreshTokens.read(refreshToken)?.sessionId;
    return token === undefined ? undefined : this.livingSessionOf(http, token);
  }

  /** For a client's own access token, the token. */
  private async livingSessionOf(http: HttpExchange, token: string): Promise<string | undefined> {
    const sessionId = this.refreshTokens.read(token)?.sessionId;
    if (sessionId !== undefined) return (await this.sessions.isAlive(sessionId)) ? sessionId : undefined;
    // one that has expired is still good for signing out
    const accessToken = await this.accessTokens.verify(token, { expired: true });
    if (!accessToken || !(await this.accessTokens.isLive(accessToken))) return undefined;
    setLivingToken(http, token, accessToken);
    if (accessToken.sid === undefined && !this.accessTokens.isOfNow(accessToken)) return undefined;
    // apart from its refresh token, which use of the access token must not starve
    return `access ${accessToken.sid ?? accessToken.jti}`;
  }
}
