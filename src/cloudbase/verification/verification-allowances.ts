import { Injectable } from '@nestjs/common';
import { LessThan, LessThanOrEqual, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { isDuplicate } from '../../base/database/faults.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { VerificationAllowance } from './verification-allowance.entity.js';

const DAY = 86_400_000;

export interface Allowance {
  /** Least milliseconds between two codes. */
  pause: number;
  perDay: number;
}

/** Counts codes, across processes and restarts. */
@Injectable()
@Sweeps()
export class VerificationAllowances {
  private readonly rows = this.database.repository(VerificationAllowance);

  constructor(
    private readonly database: AuthDatabase,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes one code out of an allowance: whoever's statement changes the row may send.
   * @param owners the keyed hash of whose it is, and the one under the previous secret, if there is one
   * @throws AuthError resource_exhausted
   */
  async take([owner, formerly]: string[], allowance: Allowance): Promise<void> {
    if (formerly !== undefined) await this.rename(formerly, owner!);
    await this.takeOf(owner!, allowance);
  }

  /** Removes at most `batch` rows that limit nothing any more. */
  removeExpired(batch: number): Promise<number> {
    const where = { day_began_at: LessThanOrEqual(this.clock.now() - 2 * DAY) };
    return this.database.deleteSome(this.rows, 'owner', where, batch);
  }

  /** What was counted under the previous secret counts on. */
  private async rename(formerly: string, owner: string): Promise<void> {
    try {
      await this.rows.update({ owner: formerly }, { owner });
    } catch (error) {
      if (!isDuplicate(error)) throw error; // two nodes began to count at one moment
    }
  }

  private async takeOf(owner: string, allowance: Allowance): Promise<void> {
    const now = this.clock.now();
    const sent_at = LessThanOrEqual(now - allowance.pause);
    const dayIsOver = LessThanOrEqual(now - DAY);
    const newDay = await this.rows.update(
      { owner, sent_at, day_began_at: dayIsOver },
      { sent_at: now, sends: 1, day_began_at: now },
    );
    const sameDay = await this.rows.update(
      { owner, sent_at, day_began_at: Not(dayIsOver), sends: LessThan(allowance.perDay) },
      { sent_at: now, sends: () => 'sends + 1' },
    );
    if (newDay.affected === 1 || sameDay.affected === 1) return;
    try {
      await this.rows.insert({ owner, sent_at: now, sends: 1, day_began_at: now });
    } catch (error) {
      throw isDuplicate(error) ? await this.tooSoon(owner, allowance) : error;
    }
  }

  private async tooSoon(owner: string, { pause }: Allowance): Promise<AuthError> {
    const row = await this.rows.findOneBy({ owner });
    const now = this.clock.now();
    const rest = (row?.sent_at ?? now) + pause - now;
    const ms = rest > 0 ? rest : (row?.day_began_at ?? now) + DAY - now;
    const retryAfter = Math.max(1, Math.ceil(ms / 1000));
    return new AuthError('resource_exhausted', { reason: 'LIMIT_VERIFICATION', retryAfter });
  }
}
