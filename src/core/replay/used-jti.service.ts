import { Injectable } from '@nestjs/common';
import { LessThanOrEqual } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { isDuplicate } from '../../base/database/faults.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { UsedJti } from './used-jti.entity.js';
import { hashOfJti, type UsedJtis } from './used-jtis.js';

/** Remembers them in the database, for whichever process a JWT is sent to. */
@Injectable()
@Sweeps()
export class UsedJtiService implements UsedJtis {
  private readonly rows = this.database.repository(UsedJti);
  private readonly insert = this.database.statement('INSERT INTO auth_used_jti (hash, expires_at) VALUES (?, ?)');

  constructor(
    private readonly database: AuthDatabase,
    private readonly clock: Clock,
  ) {}

  /** By one INSERT of what is unique. */
  async consume(use: 'client-assertion' | 'dpop', owner: string, jti: string, expiresAt: number): Promise<boolean> {
    try {
      await this.insert.run([hashOfJti(use, owner, jti), expiresAt]);
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
