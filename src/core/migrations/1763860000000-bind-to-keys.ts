import { type MigrationInterface, type QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

const jkt = () => new TableColumn({ name: 'dpop_jkt', type: 'varchar', length: '43', isNullable: true });

/** Clients that authenticate by a key of theirs (RFC 7523), tokens bound to one (RFC 9449), and proofs used once. */
export class BindToKeys1763860000000 implements MigrationInterface {
  name = 'BindToKeys1763860000000';

  async up(runner: QueryRunner): Promise<void> {
    const yes = runner.connection.options.type === 'sqlite' ? '1' : 'true';
    await runner.addColumns('auth_client', [
      new TableColumn({
        name: 'token_endpoint_auth_method',
        type: 'varchar',
        length: '32',
        default: "'client_secret'",
      }),
      new TableColumn({ name: 'jwks', type: 'text', isNullable: true }),
      new TableColumn({ name: 'jwks_uri', type: 'varchar', length: '2048', isNullable: true }),
    ]);
    const quoted = runner.connection.driver.escape('public');
    await runner.query(`UPDATE auth_client SET token_endpoint_auth_method = 'none' WHERE ${quoted} = ${yes}`);
    await runner.addColumn('auth_session', jkt());
    await runner.addColumn('auth_authorization_code', jkt());
    await runner.createTable(
      new Table({
        name: 'auth_used_jti',
        columns: [
          { name: 'hash', type: 'varchar', length: '43', isPrimary: true },
          { name: 'expires_at', type: 'bigint' },
        ],
      }),
    );
    await runner.createIndex(
      'auth_used_jti',
      new TableIndex({ name: 'ix_auth_used_jti_expires', columnNames: ['expires_at'] }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('auth_used_jti');
    await runner.dropColumn('auth_authorization_code', 'dpop_jkt');
    await runner.dropColumn('auth_session', 'dpop_jkt');
    await runner.dropColumns('auth_client', ['token_endpoint_auth_method', 'jwks', 'jwks_uri']);
  }
}
