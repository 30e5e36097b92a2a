import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions, TableIndex } from 'typeorm';

const id = (name: string, length: number): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: String(length),
  isPrimary: true,
});
const text = (name: string, length: number): TableColumnOptions => ({ name, type: 'varchar', length: String(length) });
const words = (name: string): TableColumnOptions => ({ name, type: 'text' });
const moment = (name: string): TableColumnOptions => ({ name, type: 'bigint' });
const integer = (name: string): TableColumnOptions => ({ name, type: 'integer' });
const nullable = (column: TableColumnOptions): TableColumnOptions => ({ ...column, isNullable: true });

export class CreateAuthTables1763850000000 implements MigrationInterface {
  name = 'CreateAuthTables1763850000000';

  async up(runner: QueryRunner): Promise<void> {
    const no = runner.connection.options.type === 'sqlite' ? '0' : 'false';
    const flag = (name: string): TableColumnOptions => ({ name, type: 'boolean', default: no });
    const table = async (name: string, columns: TableColumnOptions[], indices: Record<string, string> = {}) => {
      await runner.createTable(new Table({ name, columns }));
      for (const [column, index] of Object.entries(indices)) {
        const isUnique = index.startsWith('uq_');
        await runner.createIndex(name, new TableIndex({ name: index, columnNames: [column], isUnique }));
      }
    };

    await table('auth_client', [
      id('id', 128),
      text('name', 200),
      { name: 'public', type: 'boolean' },
      flag('disabled'),
      words('grant_types'),
      words('scopes'),
      words('default_scope'),
      words('redirect_uris'),
      nullable(integer('access_token_ttl')),
      nullable(integer('refresh_token_ttl')),
      flag('need_weda_resource'),
      moment('created_at'),
    ]);
    await table(
      'auth_client_secret',
      [id('id', 36), text('client_id', 128), text('hash', 43), moment('created_at'), nullable(moment('expires_at'))],
      { client_id: 'ix_auth_client_secret_client' },
    );
    await table(
      'auth_user',
      [
        id('id', 36),
        text('username', 128),
        nullable(text('password_hash', 255)),
        nullable(text('email', 320)),
        nullable(text('name', 200)),
        words('groups'),
        flag('disabled'),
        { ...moment('valid_after'), default: '0' },
        moment('created_at'),
        moment('updated_at'),
      ],
      { username: 'uq_auth_user_username' },
    );
    await table(
      'auth_session',
      [
        id('id', 22),
        text('sub', 255),
        text('client_id', 128),
        words('scope'),
        { ...integer('generation'), default: '0' },
        moment('authenticated_at'),
        moment('created_at'),
        moment('expires_at'),
        nullable(moment('rotated_at')),
        nullable(text('rotated_by_device', 128)),
        nullable(text('device_id', 128)),
        nullable(moment('revoked_at')),
      ],
      {
        sub: 'ix_auth_session_sub',
        client_id: 'ix_auth_session_client',
        expires_at: 'ix_auth_session_expires',
      },
    );
    await table(
      'auth_authorization_code',
      [
        id('hash', 43),
        text('client_id', 128),
        text('sub', 255),
        words('scope'),
        text('redirect_uri', 2048),
        nullable(text('code_challenge', 43)),
        nullable(text('nonce', 512)),
        moment('authenticated_at'),
        moment('expires_at'),
        nullable(text('session_id', 22)),
      ],
      { expires_at: 'ix_auth_authorization_code_expires' },
    );
    await table(
      'auth_device_authorization',
      [
        id('hash', 43),
        text('user_code_hash', 43),
        text('client_id', 128),
        words('scope'),
        { ...text('status', 8), default: "'pending'" },
        nullable(text('sub', 255)),
        nullable(moment('authenticated_at')),
        integer('interval'),
        nullable(moment('polled_at')),
        moment('expires_at'),
      ],
      {
        user_code_hash: 'uq_auth_device_authorization_user_code',
        expires_at: 'ix_auth_device_authorization_expires',
      },
    );
    await table('auth_signing_key', [
      id('kid', 22),
      text('alg', 5),
      words('sealed_private_key'),
      moment('created_at'),
      moment('signs_from'),
    ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of [
      'auth_signing_key',
      'auth_device_authorization',
      'auth_authorization_code',
      'auth_session',
      'auth_user',
      'auth_client_secret',
      'auth_client',
    ]) {
      await runner.dropTable(name);
    }
  }
}
