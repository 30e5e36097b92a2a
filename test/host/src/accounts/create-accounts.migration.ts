import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { settings } from '../settings.js';

const TABLE = `${settings.tablePrefix}account`;

export class CreateAccounts1700000000000 implements MigrationInterface {
  name = 'CreateAccounts1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    const id = settings.database.type === 'postgres' ? 'serial' : 'integer';
    await runner.query(
      `CREATE TABLE ${TABLE} (id ${id} PRIMARY KEY, name varchar NOT NULL UNIQUE, password_hash varchar NOT NULL)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ${TABLE}`);
  }
}
