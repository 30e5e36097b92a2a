import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const { text, integer } = column;

/** What a session remembers of the networks that its token was exchanged in, and a retry window of a client's own. */
export class RememberNetworks1764000007000 implements MigrationInterface {
  name = 'RememberNetworks1764000007000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add(
      'auth_session',
      nullable(text('rotated_by_network', 22)),
      nullable(text('repeated_networks', 45)),
      { ...integer('repeated_generation'), default: '0' },
    );
    await tables.add('auth_client', nullable(integer('refresh_retry_window')));
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.remove('auth_client', 'refresh_retry_window');
    await tables.remove('auth_session', 'rotated_by_network', 'repeated_networks', 'repeated_generation');
  }
}
