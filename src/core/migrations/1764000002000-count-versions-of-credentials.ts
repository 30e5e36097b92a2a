import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const { text, moment, integer } = column;
const version = { ...integer('credentials_version'), default: '0' };

/** What stands on a user's sign-in. */
const SIGNED_IN = ['auth_session', 'auth_authorization_code', 'auth_device_authorization'];

/** Versions of users where moments were compared, when anonymous users were there last, and which key is the first. */
export class CountVersionsOfCredentials1764000002000 implements MigrationInterface {
  name = 'CountVersionsOfCredentials1764000002000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add(
      'auth_user',
      version,
      nullable(text('kept_session_id', 22)),
      nullable(moment('anonymous_seen_at')),
    );
    await tables.index('auth_user', 'ix_auth_user_anonymous_seen', 'anonymous_seen_at');
    await tables.run('UPDATE auth_user SET anonymous_seen_at = updated_at WHERE anonymous_device IS NOT NULL');
    for (const table of SIGNED_IN) {
      await tables.add(table, version);
      // what no longer held by its moment must not hold by its version
      await tables.run(
        `UPDATE ${table} SET credentials_version = -1 WHERE EXISTS (
           SELECT 1 FROM auth_user WHERE auth_user.id = ${table}.sub AND auth_user.valid_after > ${table}.authenticated_at
         )`,
      );
    }
    await tables.add('auth_signing_key', nullable(text('first_of', 5)));
    await tables.index('auth_signing_key', 'uq_auth_signing_key_first_of', 'first_of');
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.dropIndex('auth_signing_key', 'uq_auth_signing_key_first_of');
    await tables.remove('auth_signing_key', 'first_of');
    for (const table of SIGNED_IN) await tables.remove(table, 'credentials_version');
    await tables.dropIndex('auth_user', 'ix_auth_user_anonymous_seen');
    await tables.remove('auth_user', 'credentials_version', 'kept_session_id', 'anonymous_seen_at');
  }
}
