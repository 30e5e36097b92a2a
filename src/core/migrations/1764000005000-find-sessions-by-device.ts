import { type MigrationInterface, type QueryRunner, TableIndex } from 'typeorm';

const BY_USER = new TableIndex({ name: 'ix_auth_session_sub', columnNames: ['sub'] });
const BY_DEVICE = new TableIndex({ name: 'ix_auth_session_device', columnNames: ['sub', 'device_id'] });

/** A user's sessions are found by their device as well, by the same index. */
export class FindSessionsByDevice1764000005000 implements MigrationInterface {
  name = 'FindSessionsByDevice1764000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createIndex('auth_session', BY_DEVICE);
    await runner.dropIndex('auth_session', BY_USER.name!);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.createIndex('auth_session', BY_USER);
    await runner.dropIndex('auth_session', BY_DEVICE.name!);
  }
}
