import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, Tables } from '../database/tables.js';

export class CreateHeartbeat1764000007001 implements MigrationInterface {
  name = 'CreateHeartbeat1764000007001';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.create('auth_heartbeat', [{ ...column.integer('id'), isPrimary: true }, column.moment('beat_at')]);
    const rows = await tables.run<object[]>('SELECT 1 FROM auth_heartbeat WHERE id = 1');
    if (rows.length === 0) await tables.run('INSERT INTO auth_heartbeat (id, beat_at) VALUES (1, 0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop('auth_heartbeat');
  }
}
