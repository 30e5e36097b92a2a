import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../../base/clock.js';
import { installed } from '../../base/installed.js';
import type { LimitStorage } from './limits.js';
import { MemoryThrottlerStorage } from './memory-throttler.storage.js';
import { RESTORE, TAKE } from './redis-scripts.js';
import { within } from '../../base/within.js';

type Hit = Awaited<ReturnType<LimitStorage['increment']>>;

/** Milliseconds from when Redis went away until it is asked again. */
const PAUSE = 1000;

const PREFIX = 'nest-auth:limit:';

const OPTIONS: RedisOptions = {
  lazyConnect: true,
  connectTimeout: PAUSE,
  commandTimeout: PAUSE, // of what ioredis asks itself to begin with; ours have the deadline
  disconnectTimeout: 100,
  retryStrategy: () => PAUSE,
  // nobody waits for a connection, and what was asked by one that broke is not asked again
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
};

/** What the scripts are called by. */
type Scripted = Redis & {
  takeOne(
    key: string,
    ttl: number,
    limit: number,
  ): Promise<[hits: number, expire: number, blocked: 0 | 1, wait: number]>;
  restoreOne(key: string, ttl: number, limit: number): Promise<void>;
};

/**
 * Budgets in Redis, which all processes share; the algorithm and the answers are those of MemoryThrottlerStorage. While
 * Redis is away or slow, each process limits by itself in memory: no request waits for longer than the deadline, none is
 * refused for it, and none is let through unlimited.
 */
export class RedisThrottlerStorage implements LimitStorage, OnApplicationShutdown {
  private readonly logger = new Logger('Limits');
  private readonly alone: MemoryThrottlerStorage;
  private state: 'starting' | 'shared' | 'away' | 'closed' = 'starting';

  private constructor(
    private readonly redis: Scripted,
    clock: Clock,
    private readonly deadline: number,
  ) {
    this.alone = new MemoryThrottlerStorage(clock);
  }

  /**
   * Resolves as soon as it is known whether Redis is there. Where it is not, it is as if it were away.
   * @param url `redis://` or `rediss://`, as ioredis has them
   * @param clock for the budgets in memory; those in Redis go by its own
   * @param deadline milliseconds after which an answer comes too late, and Redis counts as away
   * @throws Error in one line, where ioredis is not installed
   */
  static async connect(url: string, clock: Clock, deadline = 50): Promise<RedisThrottlerStorage> {
    const ioredis = await installed('ioredis', () => import('ioredis'), 'ioredis, for the limits in Redis,');
    const redis = new ioredis.Redis(url, OPTIONS) as Scripted;
    redis.defineCommand('takeOne', { numberOfKeys: 1, lua: TAKE });
    redis.defineCommand('restoreOne', { numberOfKeys: 1, lua: RESTORE });
    const storage = new RedisThrottlerStorage(redis, clock, deadline);
    redis.on('error', (error) => storage.leave(error));
    redis.on('close', () => storage.leave(new Error('the connection was closed')));
    await within(2 * PAUSE, redis.connect()).then(
      () => storage.join(),
      (error: unknown) => storage.leave(error),
    );
    redis.on('ready', () => void storage.join());
    return storage;
  }

  get isShared(): boolean {
    return this.state === 'shared';
  }

  increment(key: string, ttl: number, limit: number, blockDuration?: number, name?: string): Promise<Hit> {
    return this.either(
      async () => {
        const [totalHits, timeToExpire, blocked, timeToBlockExpire] = await this.redis.takeOne(
          PREFIX + key,
          ttl,
          limit,
        );
        return { totalHits, timeToExpire, isBlocked: blocked === 1, timeToBlockExpire };
      },
      () => this.alone.increment(key, ttl, limit, blockDuration, name),
    );
  }

  restore(key: string, ttl: number, limit: number, name: string): Promise<void> {
    return this.either(
      () => this.redis.restoreOne(PREFIX + key, ttl, limit),
      () => this.alone.restore(key, ttl, limit, name),
    );
  }

  onApplicationShutdown(): void {
    this.state = 'closed';
    this.redis.disconnect();
  }

  private async either<T>(shared: () => Promise<T>, alone: () => Promise<T>): Promise<T> {
    if (!this.isShared) return alone();
    try {
      return await within(this.deadline, shared());
    } catch (error) {
      this.leave(error);
      return alone();
    }
  }

  /** Redis is back once it does in time what it will be asked: it may be slow, full or a replica. */
  private async join(): Promise<void> {
    try {
      await within(this.deadline, this.redis.takeOne(`${PREFIX}probe`, PAUSE, PAUSE));
    } catch (error) {
      this.leave(error);
      return;
    }
    if (this.state === 'away') this.logger.log('the shared limits are back');
    if (this.state !== 'closed') this.state = 'shared';
  }

  /** Once an outage it is said; a new connection, after the pause, is what it is asked again by. */
  private leave(error: unknown): void {
    if (this.state === 'closed') return;
    if (this.state !== 'away') {
      this.logger.warn({ msg: 'the shared limits are away: each process limits by itself', error: String(error) });
    }
    this.state = 'away';
    if (this.redis.status === 'ready') this.redis.disconnect(true);
  }
}
