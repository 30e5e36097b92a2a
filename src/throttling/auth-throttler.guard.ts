import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  getOptionsToken,
  getStorageToken,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { Request } from 'express';
import { AUTH_OPTIONS, type Limit, type ResolvedAuthOptions } from '../auth.options.js';
import { clientCredentialsOf } from '../clients/client-credentials.js';
import { AuthError } from '../errors/auth.error.js';
import { parametersOf } from '../http/parameters.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { normalizeUsername } from '../users/username.js';

export type BudgetName = 'ip' | 'client' | 'account';

/** The budgets as @nestjs/throttler's options; one that is turned off is not among them. */
export function throttlerOptions({ limitIp, limitClient, limitAccount }: ResolvedAuthOptions): ThrottlerModuleOptions {
  const limits: [BudgetName, Limit][] = [
    ['ip', limitIp],
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
 * A refresh whose token we derived is outside of all that: it counts against its session alone. Guessing, which never
 * has such a token, cannot starve it.
 */
@Injectable()
export class AuthThrottlerGuard extends ThrottlerGuard {
  constructor(
    @Inject(getOptionsToken()) options: ThrottlerModuleOptions,
    @Inject(getStorageToken()) storage: ThrottlerStorage,
    reflector: Reflector,
    @Inject(AUTH_OPTIONS) private readonly auth: ResolvedAuthOptions,
    private readonly refreshTokens: RefreshTokens,
  ) {
    super(options, storage, reflector);
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const session = this.sessionOf(request);
    if (session !== undefined) return this.spend(context, 'ip', `session:${session}`);
    await this.spend(context, 'ip', await this.getTracker(request));
    const client = this.clientOf(request);
    if (client !== undefined) await this.spend(context, 'client', client);
    const account = this.accountOf(request);
    if (account !== undefined) await this.spend(context, 'account', account);
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
  protected clientOf(request: Request): string | undefined {
    return clientCredentialsOf(request).id ?? this.auth.defaultClientId;
  }

  /** The account that the request tries a password of. */
  protected accountOf(request: Request): string | undefined {
    return parametersOf(request).peek('grant_type') === 'password' ? usernameOf(request) : undefined;
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

  private sessionOf(request: Request): string | undefined {
    const parameters = parametersOf(request);
    if (parameters.peek('grant_type') !== 'refresh_token') return undefined;
    const token = parameters.peek('refresh_token');
    return token === undefined ? undefined : this.refreshTokens.read(token)?.sessionId;
  }
}

/** The username that a request tries, in the form in which attempts are counted. */
export function usernameOf(request: Request): string | undefined {
  const username = parametersOf(request).peek('username');
  return username === undefined || username.length > 256 ? undefined : normalizeUsername(username);
}
