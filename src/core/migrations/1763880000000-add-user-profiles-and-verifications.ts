import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

const text = (name: string, length: number) =>
  new TableColumn({ name, type: 'varchar', length: String(length), isNullable: true });

const UNIQUE = {
  login_email: 'uq_auth_user_login_email',
  phone_number: 'uq_auth_user_phone_number',
  anonymous_device: 'uq_auth_user_anonymous_device',
};

/** What the user table knows of profiles; the table of verifications comes with its wing. */
export class AddUserProfilesAndVerifications1763880000000 implements MigrationInterface {
  name = 'AddUserProfilesAndVerifications1763880000000';

  async up(runner: QueryRunner): Promise<void> {
    const no = runner.connection.options.type === 'sqlite' ? '0' : 'false';
    await runner.addColumns('auth_user', [
      text('login_email', 320),
      text('phone_number', 32),
      text('picture', 2048),
      text('gender', 16),
      text('locale', 35),
      new TableColumn({ name: 'pending', type: 'boolean', default: no }),
      text('anonymous_device', 43),
    ]);
    for (const [column, name] of Object.entries(UNIQUE)) {
      await runner.createIndex('auth_user', new TableIndex({ name, columnNames: [column], isUnique: true }));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.values(UNIQUE)) await runner.dropIndex('auth_user', name);
    await runner.dropColumns('auth_user', [...Object.keys(UNIQUE), 'picture', 'gender', 'locale', 'pending']);
  }
}
