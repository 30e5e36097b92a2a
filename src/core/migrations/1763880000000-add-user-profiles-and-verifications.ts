import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const text = (name: string, length: number) => nullable(column.text(name, length));

const UNIQUE = {
  login_email: 'uq_auth_user_login_email',
  phone_number: 'uq_auth_user_phone_number',
  anonymous_device: 'uq_auth_user_anonymous_device',
};

/** What the user table knows of profiles; the table of verifications comes with its wing. */
export class AddUserProfilesAndVerifications1763880000000 implements MigrationInterface {
  name = 'AddUserProfilesAndVerifications1763880000000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add(
      'auth_user',
      text('login_email', 320),
      text('phone_number', 32),
      text('picture', 2048),
      text('gender', 16),
      text('locale', 35),
      column.flag('pending', false),
      text('anonymous_device', 43),
    );
    for (const [name, index] of Object.entries(UNIQUE)) await tables.index('auth_user', index, name);
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    for (const name of Object.values(UNIQUE)) await tables.dropIndex('auth_user', name);
    await tables.remove('auth_user', ...Object.keys(UNIQUE), 'picture', 'gender', 'locale', 'pending');
  }
}
