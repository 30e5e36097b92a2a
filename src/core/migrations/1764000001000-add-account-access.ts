import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

const DEVICE = { old: 'uq_auth_user_anonymous_device', new: 'ix_auth_user_anonymous_device' };
const onDevice = (name: string, isUnique: boolean) =>
  new TableIndex({ name, columnNames: ['anonymous_device'], isUnique });

/**
 * Sessions that may act on their user's account, and when that user last proved who they are. How a session of before was
 * opened nobody wrote down, so it may not, but for those of anonymous users: nobody else can have opened them. And one
 * device may have had several anonymous users.
 */
export class AddAccountAccess1764000001000 implements MigrationInterface {
  name = 'AddAccountAccess1764000001000';

  async up(runner: QueryRunner): Promise<void> {
    const [no, yes] = runner.connection.options.type === 'sqlite' ? ['0', '1'] : ['false', 'true'];
    await runner.addColumns('auth_session', [
      new TableColumn({ name: 'account_access', type: 'boolean', default: no }),
      new TableColumn({ name: 'proven_at', type: 'bigint', isNullable: true }),
    ]);
    await runner.query(
      `UPDATE auth_session SET account_access = ${yes}
       WHERE sub IN (SELECT id FROM auth_user WHERE anonymous_device IS NOT NULL)`,
    );
    await runner.dropIndex('auth_user', DEVICE.old);
    await runner.createIndex('auth_user', onDevice(DEVICE.new, false));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('UPDATE auth_user SET anonymous_device = id WHERE anonymous_device IS NOT NULL'); // one of each again
    await runner.dropIndex('auth_user', DEVICE.new);
    await runner.createIndex('auth_user', onDevice(DEVICE.old, true));
    await runner.dropColumns('auth_session', ['account_access', 'proven_at']);
  }
}
