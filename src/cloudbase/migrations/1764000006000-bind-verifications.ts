import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { CreateVerifications1763880000001 } from './1763880000001-create-verifications.js';

const text = (name: string, length: number) => ({ name, type: 'varchar', length: String(length) });

/**
 * A row a code, bound to its client and purpose, and what was sent counted apart. The codes that are under way are
 * dropped: they live for minutes, and whoever waits for one asks again.
 */
export class BindVerifications1764000006000 implements MigrationInterface {
  name = 'BindVerifications1764000006000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.dropTable('auth_verification');
    await runner.createTable(
      new Table({
        name: 'auth_verification',
        columns: [
          { ...text('id', 22), isPrimary: true },
          text('client_id', 128),
          text('purpose', 16),
          text('target', 43),
          { ...text('sub', 255), isNullable: true },
          text('code_hash', 43),
          { name: 'tries_left', type: 'integer' },
          { ...text('token_hash', 43), isNullable: true },
          { name: 'expires_at', type: 'bigint' },
        ],
        indices: [
          { name: 'ix_auth_verification_target', columnNames: ['target'] },
          { name: 'ix_auth_verification_expires', columnNames: ['expires_at'] },
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'auth_verification_allowance',
        columns: [
          { ...text('owner', 43), isPrimary: true },
          { name: 'sent_at', type: 'bigint' },
          { name: 'sends', type: 'integer' },
          { name: 'day_began_at', type: 'bigint' },
        ],
        indices: [{ name: 'ix_auth_verification_allowance_day', columnNames: ['day_began_at'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('auth_verification_allowance');
    await runner.dropTable('auth_verification');
    await new CreateVerifications1763880000001().up(runner);
  }
}
