import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

const text = (name: string, length: number) => ({ name, type: 'varchar', length: String(length) });

/** Where it is there already, an earlier release made it by AddUserProfilesAndVerifications1763880000000. */
const IF_NOT_EXISTS = true;

export class CreateVerifications1763880000001 implements MigrationInterface {
  name = 'CreateVerifications1763880000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'auth_verification',
        columns: [
          { ...text('target', 43), isPrimary: true },
          text('id', 22),
          { ...text('sub', 255), isNullable: true },
          text('code_hash', 43),
          { name: 'tries_left', type: 'integer' },
          { ...text('token_hash', 43), isNullable: true },
          { name: 'sent_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
          { name: 'sends', type: 'integer' },
          { name: 'day_began_at', type: 'bigint' },
        ],
        indices: [
          { name: 'uq_auth_verification_id', columnNames: ['id'], isUnique: true },
          { name: 'ix_auth_verification_day', columnNames: ['day_began_at'] },
        ],
      }),
      IF_NOT_EXISTS,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('auth_verification');
  }
}
