import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, Tables } from '../../base/database/tables.js';

const { id, text, words, moment } = column;

/** Where its tables are there already, an earlier release made them by SignInWithABrowser1763870000000. */
export class CreateBrowserTables1763870000001 implements MigrationInterface {
  name = 'CreateBrowserTables1763870000001';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    if (await tables.has('auth_pushed_request')) return;
    await tables.create(
      'auth_browser_session',
      [
        id('id', 22),
        text('hash', 43),
        text('sub', 255),
        text('username', 128),
        moment('authenticated_at'),
        moment('used_at'),
        moment('expires_at'),
      ],
      {
        uq_auth_browser_session_hash: 'hash',
        ix_auth_browser_session_sub: 'sub',
        ix_auth_browser_session_expires: 'expires_at',
      },
    );
    await tables.create('auth_consent', [id('sub', 255), id('client_id', 128), words('scope'), moment('given_at')]);
    await tables.create(
      'auth_pushed_request',
      [id('hash', 43), text('client_id', 128), words('request'), moment('expires_at')],
      { ix_auth_pushed_request_expires: 'expires_at' },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop('auth_pushed_request', 'auth_consent', 'auth_browser_session');
  }
}
