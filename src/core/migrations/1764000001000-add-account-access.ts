import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const DEVICE = { old: 'uq_auth_user_anonymous_device', new: 'ix_auth_user_anonymous_device' };

/**
 * Sessions that may act on their user's account, and when that user last proved who they are. How a session of before was
 * opened nobody wrote down, so it may not, but for those of anonymous users: nobody else can have opened them. And one
 * device may have had several anonymous users.
 */
export class AddAccountAccess1764000001000 implements MigrationInterface {
  name = 'AddAccountAccess1764000001000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add('auth_session', column.flag('account_access', false), nullable(column.moment('proven_at')));
    await tables.run(
      `UPDATE auth_session SET account_access = TRUE
       WHERE sub IN (SELECT id FROM auth_user WHERE anonymous_device IS NOT NULL)`,
    );
    await tables.dropIndex('auth_user', DEVICE.old);
    await tables.index('auth_user', DEVICE.new, 'anonymous_device');
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.run('UPDATE auth_user SET anonymous_device = id WHERE anonymous_device IS NOT NULL'); // one of each again
    await tables.dropIndex('auth_user', DEVICE.new);
    await tables.index('auth_user', DEVICE.old, 'anonymous_device');
    await tables.remove('auth_session', 'account_access', 'proven_at');
  }
}
