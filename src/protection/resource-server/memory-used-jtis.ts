import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { hashOfJti, type UsedJtis } from '../../core/replay/used-jtis.js';

/** For longer than that no proof is taken, in milliseconds: it may be five minutes early and be taken five more. */
const LIFE = 601_000;

/** Remembers the proofs that this process has accepted. Where others should know, a host replaces UsedJtis. */
@Injectable()
export class MemoryUsedJtis implements UsedJtis {
  /** What was used since `since`, and in the time of the same length before: all that is gone is too old to be taken. */
  private used = new Set<string>();
  private before = new Set<string>();
  private since = this.clock.monotonic();

  constructor(private readonly clock: Clock) {}

  consume(use: string, owner: string, jti: string): Promise<boolean> {
    this.forget();
    const hash = hashOfJti(use, owner, jti).slice(0, 22);
    if (this.used.has(hash) || this.before.has(hash)) return Promise.resolve(false);
    this.used.add(hash);
    return Promise.resolve(true);
  }

  private forget(): void {
    const now = this.clock.monotonic();
    if (now - this.since < LIFE) return;
    this.before = now - this.since < 2 * LIFE ? this.used : new Set();
    this.used = new Set();
    this.since = now;
  }
}
