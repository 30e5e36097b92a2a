import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, Tables } from '../../base/database/tables.js';

/** The version of its user that a browser's sign-in stands on, and when a consent was used last. */
export class CountVersionsInBrowsers1764000002500 implements MigrationInterface {
  name = 'CountVersionsInBrowsers1764000002500';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add('auth_browser_session', { ...column.integer('credentials_version'), default: '0' });
    // what no longer held by its moment must not hold by its version
    await tables.run(
      `UPDATE auth_browser_session SET credentials_version = -1 WHERE EXISTS (
         SELECT 1 FROM auth_user
         WHERE auth_user.id = auth_browser_session.sub AND auth_user.valid_after > auth_browser_session.authenticated_at
       )`,
    );
    await tables.add('auth_consent', { ...column.moment('used_at'), default: '0' });
    await tables.run('UPDATE auth_consent SET used_at = given_at');
    await tables.index('auth_consent', 'ix_auth_consent_used', 'used_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.dropIndex('auth_consent', 'ix_auth_consent_used');
    await tables.remove('auth_consent', 'used_at');
    await tables.remove('auth_browser_session', 'credentials_version');
  }
}
