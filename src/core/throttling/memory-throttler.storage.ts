import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import type { LimitStorage } from './limits.js';

type Hit = Awaited<ReturnType<LimitStorage['increment']>>;

/** Budgets that are kept of one kind, such as addresses. About 5 MiB when full. */
const MAX_KEYS = 50_000;
/** Budgets that new keys share while all of those are spent from. */
const SHARED = 4096;
/** Least milliseconds between two searches for budgets that have been restored. */
const SWEPT_EVERY = 1000;

/** The moments at which budgets of one kind are whole again, on the monotonic clock. */
class Kind {
  readonly restoredAt = new Map<string, number>();
  private sweptAt = -Infinity;

  /**
   * The key that a budget is kept under. Only a whole one is forgotten: where there is no room, a new key shares a
   * budget with others rather than take the place of one that was spent from.
   */
  keyOf(key: string, now: number): string {
    if (this.restoredAt.has(key) || this.restoredAt.size < MAX_KEYS) return key;
    if (now - this.sweptAt >= SWEPT_EVERY) this.sweep(now);
    return this.restoredAt.size < MAX_KEYS ? key : `shared ${bucketOf(key)}`;
  }

  private sweep(now: number): void {
    this.sweptAt = now;
    for (const [key, moment] of this.restoredAt) if (moment <= now) this.restoredAt.delete(key);
  }
}

/**
 * Budgets in memory, by the generic cell rate algorithm: per key one number, the moment at which the whole budget is
 * there again. A spent budget comes back evenly, so a locked-out user waits for one request's worth and not for the
 * end of a window, and nobody can send two budgets around the turn of one. A refused request costs nothing.
 */
@Injectable()
export class MemoryThrottlerStorage implements LimitStorage {
  readonly isLocal = true;
  private readonly kinds = new Map<string, Kind>();

  constructor(private readonly clock: Clock) {}

  /**
   * @param ttl milliseconds in which the whole budget comes back
   * @param name of its kind: addresses, however many, take no room from sessions
   * @returns times in seconds, as @nestjs/throttler has them
   */
  increment(key: string, ttl: number, limit: number, _blockDuration?: number, name = ''): Promise<Hit> {
    const now = Math.floor(this.clock.monotonic());
    const kind = this.kindOf(name);
    const kept = kind.keyOf(key, now);
    const perRequest = ttl / limit;
    const before = Math.min(Math.max(now, kind.restoredAt.get(kept) ?? now), now + ttl);
    const wait = before + perRequest - ttl - now;
    const isBlocked = wait > perRequest / 1000; // less is a sum's rounding
    const after = isBlocked ? before : before + perRequest;
    if (!isBlocked) kind.restoredAt.set(kept, after);
    return Promise.resolve({
      totalHits: Math.ceil((after - now) / perRequest - 1e-3), // but for a sum's rounding
      timeToExpire: Math.ceil((after - now) / 1000),
      isBlocked,
      timeToBlockExpire: isBlocked ? Math.ceil(wait / 1000 - 1e-6) : 0,
    });
  }

  restore(key: string, ttl: number, limit: number, name: string): Promise<void> {
    const now = Math.floor(this.clock.monotonic());
    const { restoredAt } = this.kindOf(name);
    const kept = restoredAt.has(key) ? key : `shared ${bucketOf(key)}`;
    const moment = (restoredAt.get(kept) ?? now) - ttl / limit;
    if (moment > now) restoredAt.set(kept, moment);
    else restoredAt.delete(kept);
    return Promise.resolve();
  }

  private kindOf(name: string): Kind {
    let kind = this.kinds.get(name);
    if (!kind) this.kinds.set(name, (kind = new Kind()));
    return kind;
  }
}

/** Which of the shared budgets a key has. */
function bucketOf(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0;
  return (hash >>> 0) % SHARED;
}
