import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

/** What a browser's sign-in refers to, and the columns that refer to it. */
const LINKED = {
  auth_session: 'ix_auth_session_browser',
  auth_authorization_code: 'ix_auth_authorization_code_browser',
};

/** What the tables of this wing know of browsers; the browsers' own tables come with their wing. */
export class SignInWithABrowser1763870000000 implements MigrationInterface {
  name = 'SignInWithABrowser1763870000000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add(
      'auth_client',
      nullable(column.words('post_logout_redirect_uris')),
      column.flag('first_party', false),
    );
    for (const [table, index] of Object.entries(LINKED)) {
      await tables.add(table, nullable(column.text('browser_session_id', 22)));
      await tables.index(table, index, 'browser_session_id');
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    for (const [table, index] of Object.entries(LINKED)) {
      await tables.dropIndex(table, index);
      await tables.remove(table, 'browser_session_id');
    }
    await tables.remove('auth_client', 'post_logout_redirect_uris', 'first_party');
  }
}
