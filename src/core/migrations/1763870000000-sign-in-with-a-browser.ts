import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

/** What a browser's sign-in refers to, and the columns that refer to it. */
const LINKED = {
  auth_session: 'ix_auth_session_browser',
  auth_authorization_code: 'ix_auth_authorization_code_browser',
};

/** What the tables of this wing know of browsers; the browsers' own tables come with their wing. */
export class SignInWithABrowser1763870000000 implements MigrationInterface {
  name = 'SignInWithABrowser1763870000000';

  async up(runner: QueryRunner): Promise<void> {
    const no = runner.connection.options.type === 'sqlite' ? '0' : 'false';
    await runner.addColumns('auth_client', [
      new TableColumn({ name: 'post_logout_redirect_uris', type: 'text', isNullable: true }),
      new TableColumn({ name: 'first_party', type: 'boolean', default: no }),
    ]);
    for (const [table, index] of Object.entries(LINKED)) {
      await runner.addColumn(
        table,
        new TableColumn({ name: 'browser_session_id', type: 'varchar', length: '22', isNullable: true }),
      );
      await runner.createIndex(table, new TableIndex({ name: index, columnNames: ['browser_session_id'] }));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, index] of Object.entries(LINKED)) {
      await runner.dropIndex(table, index);
      await runner.dropColumn(table, 'browser_session_id');
    }
    await runner.dropColumns('auth_client', ['post_logout_redirect_uris', 'first_party']);
  }
}
