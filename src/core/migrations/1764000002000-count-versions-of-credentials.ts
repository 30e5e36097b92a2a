import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

const version = () => new TableColumn({ name: 'credentials_version', type: 'integer', default: '0' });
const moment = (name: string) => new TableColumn({ name, type: 'bigint', isNullable: true });
const text = (name: string, length: number) =>
  new TableColumn({ name, type: 'varchar', length: String(length), isNullable: true });

/** What stands on a user's sign-in. */
const SIGNED_IN = ['auth_session', 'auth_authorization_code', 'auth_device_authorization'];

/** Versions of users where moments were compared, when anonymous users were there last, and which key is the first. */
export class CountVersionsOfCredentials1764000002000 implements MigrationInterface {
  name = 'CountVersionsOfCredentials1764000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumns('auth_user', [version(), text('kept_session_id', 22), moment('anonymous_seen_at')]);
    await runner.createIndex(
      'auth_user',
      new TableIndex({ name: 'ix_auth_user_anonymous_seen', columnNames: ['anonymous_seen_at'] }),
    );
    await runner.query('UPDATE auth_user SET anonymous_seen_at = updated_at WHERE anonymous_device IS NOT NULL');
    for (const table of SIGNED_IN) {
      await runner.addColumn(table, version());
      // what no longer held by its moment must not hold by its version
      await runner.query(
        `UPDATE ${table} SET credentials_version = -1 WHERE EXISTS (
           SELECT 1 FROM auth_user WHERE auth_user.id = ${table}.sub AND auth_user.valid_after > ${table}.authenticated_at
         )`,
      );
    }
    await runner.addColumn('auth_signing_key', text('first_of', 5));
    await runner.createIndex(
      'auth_signing_key',
      new TableIndex({ name: 'uq_auth_signing_key_first_of', columnNames: ['first_of'], isUnique: true }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('auth_signing_key', 'uq_auth_signing_key_first_of');
    await runner.dropColumn('auth_signing_key', 'first_of');
    for (const table of SIGNED_IN) await runner.dropColumn(table, 'credentials_version');
    await runner.dropIndex('auth_user', 'ix_auth_user_anonymous_seen');
    await runner.dropColumns('auth_user', ['credentials_version', 'kept_session_id', 'anonymous_seen_at']);
  }
}
