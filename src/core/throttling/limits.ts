import { HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { getStorageToken, type ThrottlerStorage } from '@nestjs/throttler';
import { AUTH_OPTIONS, type Limit, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { ErrorCode, Reason } from '../../base/errors/error-table.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { addressOf, payerOf } from './payer.js';

export type BudgetName = 'ip' | 'session' | 'client' | 'account';

/** Where budgets are kept. With a storage that gives nothing back, uses count where failures should. */
export interface LimitStorage extends ThrottlerStorage {
  /** Whether it is in this process, and so never away. */
  readonly isLocal?: boolean;
  /** Gives one request back; the parameters are those of increment(). */
  restore?(key: string, ttl: number, limit: number, name: string): Promise<void>;
}

type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** How long a storage may take before it counts as away, in milliseconds. */
const PATIENCE = 1000;

/** Failures that say nothing about the request. */
const PASSING: ErrorCode[] = ['unavailable', 'internal', 'resource_exhausted'];

/** The budgets: what was asked for often enough is refused. */
@Injectable()
export class Limits {
  private readonly logger = new Logger('Limits');
  private readonly limits: Record<BudgetName, Limit>;
  private isAway = false;

  constructor(
    @Inject(AUTH_OPTIONS) { limitIp, limitClient, limitAccount }: ResolvedAuthOptions,
    @Inject(getStorageToken()) private readonly storage: LimitStorage,
  ) {
    this.limits = { ip: limitIp, session: limitIp, client: limitClient, account: limitAccount };
  }

  /**
   * Takes one request out of a budget.
   * @throws AuthError resource_exhausted; unavailable where the storage is away
   */
  spend(name: BudgetName, owner: string): Promise<void> {
    return this.take(name, owner, this.limits[name], `LIMIT_${name.toUpperCase() as Uppercase<BudgetName>}`);
  }

  /** The same for a budget of any name and size. @param reason what is said where it is spent */
  async take(name: string, owner: string, limit: Limit, reason: Reason<'resource_exhausted'>): Promise<void> {
    if (!limit) return;
    const { requests, seconds } = limit;
    const ttl = seconds * 1000;
    const hit = await this.answered(name, () =>
      // never a blockDuration of 0, which stores such as Redis take for "for ever" or refuse
      this.storage.increment(`${name}:${owner}`, ttl, requests, ttl, name),
    );
    if (!hit?.isBlocked) return;
    const wait = Math.min(Math.max(1, Math.ceil(hit.timeToBlockExpire)), seconds);
    throw new AuthError('resource_exhausted', {
      reason,
      retryAfter: wait,
      // draft-ietf-httpapi-ratelimit-headers
      headers: {
        RateLimit: `"${name}";r=0;t=${wait}`,
        'RateLimit-Policy': `"${name}";q=${requests};w=${seconds}`,
      },
    });
  }

  /** Gives back what was spent on something that turned out right. */
  async restore(name: BudgetName, owner: string): Promise<void> {
    const limit = this.limits[name];
    if (!limit || !this.storage.restore) return;
    try {
      await this.inTime(this.storage.restore(`${name}:${owner}`, limit.seconds * 1000, limit.requests, name));
    } catch (error) {
      this.noteAway(error); // what went right stays right
    }
  }

  /**
   * The answer to a request that may present a session's token. What is refused in spite of a genuine token is no use of a
   * living session, but as good as a guess: its address pays.
   * @throws AuthError resource_exhausted in place of the refusal, where the address has no requests left
   */
  async settled<T>(http: HttpExchange, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (payerOf(http) === 'session' && isRefusal(error)) await this.spend('ip', addressOf(http));
      throw error;
    }
  }

  /** A storage that is away keeps no living session from refreshing. */
  private async answered(name: string, ask: () => Promise<Hit>): Promise<Hit | undefined> {
    try {
      const hit = await this.inTime(ask());
      this.isAway = false;
      return hit;
    } catch (cause) {
      this.noteAway(cause);
      if (name === 'session') return undefined;
      throw new AuthError('unavailable', { reason: 'LIMITS_UNAVAILABLE', retryAfter: 1, cause });
    }
  }

  /** A timer for each request is dear, and for nothing where there is nobody to wait for. */
  private inTime<T>(answer: Promise<T>): Promise<T> {
    return this.storage.isLocal ? answer : within(PATIENCE, answer);
  }

  /** Once an outage: every request would say it again. */
  private noteAway(error: unknown): void {
    if (!this.isAway) this.logger.error({ msg: 'the storage of the limits is away', error: String(error) });
    this.isAway = true;
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof AuthError) return !PASSING.includes((error as AuthError).code);
  return error instanceof HttpException && error.getStatus() < 500;
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
