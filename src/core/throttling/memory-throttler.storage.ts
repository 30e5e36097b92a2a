import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../base/clock.js';

type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** How many keys are remembered; the one unused for longest is forgotten first. About 10 MiB when full. */
const MAX_KEYS = 50_000;

/**
 * Budgets in memory, by the generic cell rate algorithm: per key one number, the moment at which the whole budget is
 * there again. A spent budget comes back evenly, so a locked-out user waits for one request's worth and not for the
 * end of a window, and nobody can send two budgets around the turn of one. A refused request costs nothing.
 */
@Injectable()
export class MemoryThrottlerStorage implements ThrottlerStorage {
  private readonly restoredAt = new LRUCache<string, number>({ max: MAX_KEYS });

  constructor(private readonly clock: Clock) {}

  /**
   * @param ttl milliseconds in which the whole budget comes back
   * @returns times in seconds, as @nestjs/throttler has them
   */
  increment(key: string, ttl: number, limit: number): Promise<Hit> {
    const now = this.clock.now();
    const perRequest = ttl / limit;
    const before = Math.max(now, this.restoredAt.get(key) ?? 0);
    const wait = before + perRequest - ttl - now;
    const isBlocked = wait > 0;
    const after = isBlocked ? before : before + perRequest;
    if (!isBlocked) this.restoredAt.set(key, after);
    return Promise.resolve({
      totalHits: Math.ceil((after - now) / perRequest),
      timeToExpire: Math.ceil((after - now) / 1000),
      isBlocked,
      timeToBlockExpire: isBlocked ? Math.ceil(wait / 1000) : 0,
    });
  }
}
