import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, Tables } from '../../base/database/tables.js';

const TABLE = 'auth_attempt';

/** Failed attempts at accounts, counted over all processes. */
export class CountAttempts1764000009000 implements MigrationInterface {
  name = 'CountAttempts1764000009000';

  async up(runner: QueryRunner): Promise<void> {
    const columns = [column.id('owner', 43), column.moment('restored_at')];
    await new Tables(runner).create(TABLE, columns, { ix_auth_attempt_restored: 'restored_at' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop(TABLE);
  }
}
