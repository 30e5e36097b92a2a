import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Tables } from '../../base/database/tables.js';

const BY_USER = 'ix_auth_session_sub';
const BY_DEVICE = 'ix_auth_session_device';

/** A user's sessions are found by their device as well, by the same index. */
export class FindSessionsByDevice1764000005000 implements MigrationInterface {
  name = 'FindSessionsByDevice1764000005000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.index('auth_session', BY_DEVICE, ['sub', 'device_id']);
    await tables.dropIndex('auth_session', BY_USER);
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.index('auth_session', BY_USER, 'sub');
    await tables.dropIndex('auth_session', BY_DEVICE);
  }
}
