import { type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerLimitDetail, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { AUTH_OPTIONS, type Limit, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { clientCredentialsOf } from '../clients/client-credentials.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { exchangeOf } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { Parameters } from '../../base/http/parameters.js';
import { AccessTokenService } from '../sessions/access-token.service.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { MAX_USERNAME, normalizeUsername } from '../users/username.js';
import { Limits } from './limits.js';

export type BudgetName = 'ip' | 'session' | 'client' | 'account';

/** What a request presents that may have a budget of its own, beside its address and its client. */
export interface Presented {
  /** A refresh or access token: a genuine one counts against itself alone. */
  token?: string;
  /** Whose password is being tried, as it was typed. */
  username?: string;
}

const PRESENTED = 'nest-auth:presented';

/** Says where the route's requests carry such a thing; without it they count by address and client alone. */
export const Presents = (read: (parameters: Parameters) => Presented) => SetMetadata(PRESENTED, read);

/** The budgets as @nestjs/throttler's options; one that is turned off is not among them. */
export function throttlerOptions({ limitIp, limitClient, limitAccount }: ResolvedAuthOptions): ThrottlerModuleOptions {
  const limits: [BudgetName, Limit][] = [
    ['ip', limitIp],
    ['session', limitIp],
    ['client', limitClient],
    ['account', limitAccount],
  ];
  const throttlers = limits.flatMap(([name, limit]) =>
    limit ? [{ name, limit: limit.requests, ttl: limit.seconds * 1000 }] : [],
  );
  return { throttlers, setHeaders: false };
}

/**
 * Budgets by address, client and account, spent in that order, so that one address cannot spend what belongs to many.
 * A request about a token that we made is outside of all that: it counts against the token's session alone. Guessing,
 * which never has such a token, cannot starve it.
 */
@Injectable()
export class AuthThrottlerGuard extends ThrottlerGuard {
  constructor(
    // named, for Nest would add these parameters to those of ThrottlerGuard's constructor
    @Inject(Limits) limits: Limits,
    @Inject(Reflector) reflector: Reflector,
    @Inject(AUTH_OPTIONS) private readonly auth: ResolvedAuthOptions,
    private readonly refreshTokens: RefreshTokens,
    protected readonly accessTokens: AccessTokenService,
  ) {
    super(limits.options, limits.storage, reflector);
  }

  /** That every limit is off is the operator's will, and nothing that each guard has to warn of. */
  override async onModuleInit(): Promise<void> {
    this.throttlers = [];
    const { throttlers } = this.options as { throttlers: unknown[] };
    if (throttlers.length > 0) await super.onModuleInit();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    const { token, username } = this.presentedBy(context, http.parameters);
    const session = token === undefined ? undefined : await this.sessionOf(token);
    if (session !== undefined) return this.spend(context, 'session', session);
    await this.spend(context, 'ip', await this.getTracker(http));
    const client = this.clientOf(http);
    if (client !== undefined) await this.spend(context, 'client', client);
    if (username !== undefined) await this.spend(context, 'account', accountNamed(username));
    return true;
  }

  protected override generateKey(_context: ExecutionContext, owner: string, name: string): string {
    return `${name}:${owner}`;
  }

  protected override throwThrottlingException(context: ExecutionContext, detail: ThrottlerLimitDetail): Promise<void> {
    const name = detail.key.slice(0, detail.key.indexOf(':')) as BudgetName;
    const wait = Math.max(1, detail.timeToBlockExpire);
    throw new AuthError('resource_exhausted', {
      reason: `LIMIT_${name.toUpperCase()}`,
      retryAfter: wait,
      // draft-ietf-httpapi-ratelimit-headers
      headers: {
        RateLimit: `"${name}";r=0;t=${wait}`,
        'RateLimit-Policy': `"${name}";q=${detail.limit};w=${detail.ttl / 1000}`,
      },
    });
  }

  /** @throws AuthError invalid_argument where the request says it in a malformed or contradictory way */
  protected clientOf(http: HttpExchange): string | undefined {
    return clientCredentialsOf(http).id ?? this.auth.defaultClientId;
  }

  /** Takes one request out of a budget, where there is one of that name. */
  protected async spend(context: ExecutionContext, name: BudgetName, owner: string): Promise<boolean> {
    const throttler = this.throttlers.find((configured) => configured.name === name);
    if (!throttler) return true;
    return this.handleRequest({
      context,
      throttler,
      limit: throttler.limit as number,
      ttl: throttler.ttl as number,
      blockDuration: 0,
      getTracker: () => owner,
      generateKey: this.commonOptions.generateKey!,
    });
  }

  private presentedBy(context: ExecutionContext, parameters: Parameters): Presented {
    const read = this.reflector.getAllAndOverride<((from: Parameters) => Presented) | undefined>(PRESENTED, [
      context.getHandler(),
      context.getClass(),
    ]);
    return read?.(parameters) ?? {};
  }

  /** The session behind a genuine token; for a client's own token, the token. */
  private async sessionOf(token: string): Promise<string | undefined> {
    const refreshToken = this.refreshTokens.read(token);
    if (refreshToken) return refreshToken.sessionId;
    const accessToken = await this.accessTokens.verify(token);
    // apart from its refresh token, which use of the access token must not starve
    return accessToken && `access ${accessToken.sid ?? accessToken.jti}`;
  }
}

/** What is longer than any username is nobody's, whatever its end: no key takes more room than one. */
export function accountNamed(typed: string): string {
  return normalizeUsername(typed.slice(0, 2 * MAX_USERNAME)).slice(0, MAX_USERNAME + 1);
}
