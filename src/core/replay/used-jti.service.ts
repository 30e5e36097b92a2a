import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LessThanOrEqual } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { isDuplicate } from '../../base/database/faults.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { UsedJti } from './used-jti.entity.js';

/** Longest jti that is looked at, in characters. */
export const MAX_JTI = 256;

/** Remembers the JWTs that were accepted, so that each is accepted once, by whichever process it is sent to. */
@Injectable()
@Sweeps()
export class UsedJtiService {
  private readonly rows = this.database.repository(UsedJti);
  private readonly insert = this.database.statement('INSERT INTO auth_used_jti (hash, expires_at) VALUES (?, ?)');

  constructor(
    private readonly database: AuthDatabase,
    private readonly clock: Clock,
  ) {}

  /**
   * Uses a JWT up, by one INSERT of what is unique: of any number of parallel calls exactly one is told true.
   * @param use what it is for, so that two kinds of JWT never meet
   * @param owner who made it: a jti is unique for its maker alone
   * @param expiresAt from when it would be refused for its age, in milliseconds since the Unix epoch
   */
  async consume(use: 'client-assertion' | 'dpop', owner: string, jti: string, expiresAt: number): Promise<boolean> {
    const hash = createHash('sha256')
      .update(JSON.stringify([use, owner, jti]))
      .digest('base64url');
    try {
      await this.insert.run([hash, expiresAt]);
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
    await this.database.flush();
    return true;
  }

  /** Removes at most `batch` of those that are refused for their age by now. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.rows, 'hash', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }
}
