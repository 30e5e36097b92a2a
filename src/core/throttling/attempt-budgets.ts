import { Inject, Injectable } from '@nestjs/common';
import { LessThanOrEqual } from 'typeorm';
import { AUTH_OPTIONS, type Limit, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { isDuplicate } from '../../base/database/faults.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AttemptBudget } from './attempt-budget.entity.js';
import { exhausted } from './exhausted.js';

/** Counted under the current secret alone: with another one, a few minutes' count begins anew. */
const OWNER = purpose('attempts');

/** One attempt that was taken. */
export interface Attempt {
  /** To be called once. @param failed whether it stays spent */
  end(failed: boolean): Promise<void>;
}

/** What this process has under way at one budget. */
interface Underway {
  /** Who reads the budget or judges an attempt at it. */
  present: number;
  /** Attempts that are being judged. */
  judging: number;
  /** Failures written since somebody has been there. */
  written: number;
}

/**
 * The budgets of attempts, by the algorithm of MemoryThrottlerStorage, in the database: all processes share them, and no
 * restart gives them back. Only failures are written. What is being judged is known to its own process alone: at most,
 * each other process judges as many attempts at once as were left. They are written all the same, as debt, and paid back.
 */
@Injectable()
@Sweeps()
export class AttemptBudgets {
  private readonly limit: Limit;
  /** Milliseconds in which a whole budget comes back, and one attempt. */
  private readonly whole: number;
  private readonly each: number;
  private readonly underway = new Map<string, Underway>();

  private readonly rows = this.database.repository(AttemptBudget);
  private readonly select = this.database.statement<{ restored_at: number | string }>(
    'SELECT restored_at FROM auth_attempt WHERE owner = ?',
  );
  private readonly insert = this.database.statement('INSERT INTO auth_attempt (owner, restored_at) VALUES (?, ?)');
  private readonly add = this.database.statement(
    `UPDATE auth_attempt SET restored_at = CASE
       WHEN restored_at < ? THEN ?
       WHEN restored_at > ? THEN ?
       ELSE restored_at + ? END
     WHERE owner = ?`,
  );
  private readonly lower = this.database.statement(
    'UPDATE auth_attempt SET restored_at = ? WHERE owner = ? AND restored_at > ?',
  );

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) { limitAccount }: ResolvedAuthOptions,
  ) {
    this.limit = limitAccount;
    const { requests, seconds } = limitAccount || { requests: 1, seconds: 1 };
    this.whole = seconds * 1000;
    this.each = Math.max(1, Math.floor(this.whole / requests));
  }

  /**
   * Takes an attempt beforehand, so that parallel ones cannot share it.
   * @throws AuthError resource_exhausted
   */
  async take(whose: string): Promise<Attempt> {
    const { limit } = this;
    if (!limit) return { end: () => Promise.resolve() };
    const owner = this.secret.hash(OWNER, whose);
    const underway = this.enter(owner);
    try {
      const restoredAt = await this.restoredAt(owner, underway);
      const now = this.clock.now();
      const wait = Math.max(now, restoredAt) + (underway.judging + 1) * this.each - this.whole - now;
      if (wait > 0) throw exhausted('account', limit, wait / 1000, 'LIMIT_ACCOUNT');
    } catch (error) {
      this.leave(owner, underway);
      throw error;
    }
    underway.judging++;
    return { end: (failed) => this.end(owner, underway, failed) };
  }

  /** Removes at most `batch` of those that are whole again. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.rows, 'owner', { restored_at: LessThanOrEqual(this.clock.now()) }, batch);
  }

  private async end(owner: string, underway: Underway, failed: boolean): Promise<void> {
    try {
      if (failed) await this.write(owner);
    } finally {
      underway.judging--;
      if (failed) underway.written++;
      this.leave(owner, underway);
    }
    if (failed) await this.database.flush();
  }

  /** Reads again where a failure of this process was written meanwhile: it is not under way any more. */
  private async restoredAt(owner: string, underway: Underway): Promise<number> {
    for (;;) {
      const { written } = underway;
      const [row] = await this.select.all([owner]);
      if (underway.written === written) return row ? this.plausible(owner, Number(row.restored_at)) : 0;
    }
  }

  /** Later than a failure can have been written by this clock: it was set back, and nobody waits until it is there again. */
  private async plausible(owner: string, restoredAt: number): Promise<number> {
    const most = this.mostOf(this.clock.now());
    if (restoredAt > most) await this.lower.run([most, owner, most]);
    return Math.min(restoredAt, most);
  }

  private async write(owner: string): Promise<void> {
    const now = this.clock.now();
    const most = this.mostOf(now);
    while ((await this.add.run([now, now + this.each, most - this.each, most, this.each, owner])) === 0) {
      try {
        await this.insert.run([owner, now + this.each]);
        return;
      } catch (error) {
        if (!isDuplicate(error)) throw error; // otherwise somebody else's failure was the first
      }
    }
  }

  /** A spent budget and as much debt as still lets an attempt come back within one budget's time. */
  private mostOf(now: number): number {
    return now + 2 * this.whole - this.each;
  }

  private enter(owner: string): Underway {
    let underway = this.underway.get(owner);
    if (!underway) this.underway.set(owner, (underway = { present: 0, judging: 0, written: 0 }));
    underway.present++;
    return underway;
  }

  private leave(owner: string, underway: Underway): void {
    if (--underway.present === 0) this.underway.delete(owner);
  }
}
