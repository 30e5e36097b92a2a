import { HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { getStorageToken, type ThrottlerStorage } from '@nestjs/throttler';
import { AUTH_OPTIONS, type Limit, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { ErrorCode, Reason } from '../../base/errors/error-table.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { exhausted } from './exhausted.js';
import { addressOf, payerOf } from './payer.js';
import { within } from '../../base/within.js';

/** Those that every process may lose. Attempts at an account are not among them (AttemptBudgets). */
export type BudgetName = 'ip' | 'session' | 'client';

/** Where budgets are kept. With a storage that gives nothing back, a client's proven requests count as unproven, too. */
export interface LimitStorage extends ThrottlerStorage {
  /** Whether it is in this process, and so never away. To any other, owners are told by their keyed hash. */
  readonly isLocal?: boolean;
  /** Whether its budgets are those of all processes now; left out: nobody asks. */
  readonly isShared?: boolean;
  /** Gives one request back; the parameters are those of increment(). */
  restore?(key: string, ttl: number, limit: number, name: string): Promise<void>;
}

const OWNER = purpose('limits');

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
    @Inject(AUTH_OPTIONS) { limitIp, limitClient }: ResolvedAuthOptions,
    @Inject(getStorageToken()) private readonly storage: LimitStorage,
    private readonly secret: ServiceSecret,
  ) {
    this.limits = { ip: limitIp, session: limitIp, client: limitClient };
  }

  /** Whether all processes share the budgets now; undefined: they are not meant to. */
  get isShared(): boolean | undefined {
    return this.storage.isShared;
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
      this.storage.increment(this.keyOf(name, owner), ttl, requests, ttl, name),
    );
    if (hit?.isBlocked) throw exhausted(name, limit, hit.timeToBlockExpire, reason);
  }

  /** Gives back what was spent on something that turned out right. */
  async restore(name: BudgetName, owner: string): Promise<void> {
    const limit = this.limits[name];
    if (!limit || !this.storage.restore) return;
    try {
      await this.inTime(this.storage.restore(this.keyOf(name, owner), limit.seconds * 1000, limit.requests, name));
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

  /** Who asked, and from where, stays in this process. */
  private keyOf(name: string, owner: string): string {
    return `${name}:${this.storage.isLocal ? owner : this.secret.hash(OWNER, owner)}`;
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
