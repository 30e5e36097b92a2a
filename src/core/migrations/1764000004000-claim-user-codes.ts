import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const TABLE = 'auth_device_authorization';
const INDEX = 'ix_auth_device_authorization_claimed';

export class ClaimUserCodes1764000004000 implements MigrationInterface {
  name = 'ClaimUserCodes1764000004000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add(TABLE, nullable(column.text('claimed_by', 64)));
    await tables.index(TABLE, INDEX, 'claimed_by');
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.dropIndex(TABLE, INDEX);
    await tables.remove(TABLE, 'claimed_by');
  }
}
