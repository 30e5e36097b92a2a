import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

/** The version of its user that a browser's sign-in stands on, and when a consent was used last. */
export class CountVersionsInBrowsers1764000002500 implements MigrationInterface {
  name = 'CountVersionsInBrowsers1764000002500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn(
      'auth_browser_session',
      new TableColumn({ name: 'credentials_version', type: 'integer', default: '0' }),
    );
    // what no longer held by its moment must not hold by its version
    await runner.query(
      `UPDATE auth_browser_session SET credentials_version = -1 WHERE EXISTS (
         SELECT 1 FROM auth_user
         WHERE auth_user.id = auth_browser_session.sub AND auth_user.valid_after > auth_browser_session.authenticated_at
       )`,
    );
    await runner.addColumn('auth_consent', new TableColumn({ name: 'used_at', type: 'bigint', default: '0' }));
    await runner.query('UPDATE auth_consent SET used_at = given_at');
    await runner.createIndex(
      'auth_consent',
      new TableIndex({ name: 'ix_auth_consent_used', columnNames: ['used_at'] }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('auth_consent', 'ix_auth_consent_used');
    await runner.dropColumn('auth_consent', 'used_at');
    await runner.dropColumn('auth_browser_session', 'credentials_version');
  }
}
