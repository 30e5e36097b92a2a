import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateHeartbeat1764000007001 implements MigrationInterface {
  name = 'CreateHeartbeat1764000007001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'auth_heartbeat',
        columns: [
          { name: 'id', type: 'integer', isPrimary: true },
          { name: 'beat_at', type: 'bigint' },
        ],
      }),
    );
    await runner.query('INSERT INTO auth_heartbeat (id, beat_at) VALUES (1, 0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('auth_heartbeat');
  }
}
