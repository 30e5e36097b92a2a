import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

const text = (name: string, length: number, isPrimary = false) => ({
  name,
  type: 'varchar',
  length: String(length),
  isPrimary,
});
const moment = (name: string) => ({ name, type: 'bigint' });

/** Where they are there already, an earlier release made them by SignInWithABrowser1763870000000. */
const IF_NOT_EXISTS = true;

export class CreateBrowserTables1763870000001 implements MigrationInterface {
  name = 'CreateBrowserTables1763870000001';

  async up(runner: QueryRunner): Promise<void> {
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
      IF_NOT_EXISTS,
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
      IF_NOT_EXISTS,
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
      IF_NOT_EXISTS,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['auth_pushed_request', 'auth_consent', 'auth_browser_session']) await runner.dropTable(name);
  }
}
