import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const SUCCEEDS = 'uq_auth_signing_key_succeeds';

/** Which service secret a client's secret was hashed under, and which key a key was made to succeed. */
export class ExchangeSecretsAndKeys1764000011001 implements MigrationInterface {
  name = 'ExchangeSecretsAndKeys1764000011001';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add('auth_client_secret', nullable(column.text('hashed_under', 16)));
    await tables.add('auth_signing_key', nullable(column.text('succeeds', 22)));
    await tables.index('auth_signing_key', SUCCEEDS, 'succeeds');
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.dropIndex('auth_signing_key', SUCCEEDS);
    await tables.remove('auth_signing_key', 'succeeds');
    await tables.remove('auth_client_secret', 'hashed_under');
  }
}
