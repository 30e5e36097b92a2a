import { type MigrationInterface, type QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

const text = (name: string, length: number, isPrimary = false) => ({
  name,
  type: 'varchar',
  length: String(length),
  isPrimary,
});
const moment = (name: string) => ({ name, type: 'bigint' });

/** What a browser's sign-in refers to, and the columns that refer to it. */
const LINKED = {
  auth_session: 'ix_auth_session_browser',
  auth_authorization_code: 'ix_auth_authorization_code_browser',
};

export class SignInWithABrowser1763870000000 implements MigrationInterface {
  name = 'SignInWithABrowser1763870000000';

  async up(runner: QueryRunner): Promise<void> {
    const no = runner.connection.options.type === 'sqlite' ? '0' : 'false';
    await runner.addColumns('auth_client', [
      new TableColumn({ name: 'post_logout_redirect_uris', type: 'text', isNullable: true }),
      new TableColumn({ name: 'first_party', type: 'boolean', default: no }),
    ]);
    for (const [table, index] of Object.entries(LINKED)) {
      await runner.addColumn(table, new TableColumn({ ...text('browser_session_id', 22), isNullable: true }));
      await runner.createIndex(table, new TableIndex({ name: index, columnNames: ['browser_session_id'] }));
    }
    await runner.createTable(
      new Table({
        name: 'auth_browser_session',
        columns: [
          text('id', 22, true),
          text('hash', 43),
          text('sub', 255),
          text('username', 128),
          moment('authenticated_at'),
          moment('used_at'),
          moment('expires_at'),
        ],
        indices: [
          { name: 'uq_auth_browser_session_hash', columnNames: ['hash'], isUnique: true },
          { name: 'ix_auth_browser_session_sub', columnNames: ['sub'] },
          { name: 'ix_auth_browser_session_expires', columnNames: ['expires_at'] },
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'auth_consent',
        columns: [
          text('sub', 255, true),
          text('client_id', 128, true),
          { name: 'scope', type: 'text' },
          moment('given_at'),
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'auth_pushed_request',
        columns: [
          text('hash', 43, true),
          text('client_id', 128),
          { name: 'request', type: 'text' },
          moment('expires_at'),
        ],
        indices: [{ name: 'ix_auth_pushed_request_expires', columnNames: ['expires_at'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['auth_pushed_request', 'auth_consent', 'auth_browser_session']) await runner.dropTable(name);
    for (const [table, index] of Object.entries(LINKED)) {
      await runner.dropIndex(table, index);
      await runner.dropColumn(table, 'browser_session_id');
    }
    await runner.dropColumns('auth_client', ['post_logout_redirect_uris', 'first_party']);
  }
}
