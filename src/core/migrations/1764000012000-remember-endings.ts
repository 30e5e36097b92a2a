import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const TABLE = 'auth_session';
const COLUMNS = { end_reason: 32, ended_by: 16, ended_from: 64, ended_by_device: 128 };

/** Why a session ended, by whom and from where. Of those that have ended before nobody knows. */
export class RememberEndings1764000012000 implements MigrationInterface {
  name = 'RememberEndings1764000012000';

  async up(runner: QueryRunner): Promise<void> {
    const columns = Object.entries(COLUMNS).map(([name, length]) => nullable(column.text(name, length)));
    await new Tables(runner).add(TABLE, ...columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).remove(TABLE, ...Object.keys(COLUMNS));
  }
}
