import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Tables } from '../../base/database/tables.js';
import { emailOf } from '../users/contact.js';

/** Which addresses may have to be spelled otherwise: the few that are not ASCII. */
const NOT_ASCII: Record<string, string> = {
  sqlite: "login_email GLOB '*[^ -~]*'",
  'better-sqlite3': "login_email GLOB '*[^ -~]*'",
  postgres: "login_email ~ '[^ -~]'",
};

/**
 * Addresses are found by one spelling of their domain from now on. Where somebody else has the same mailbox in that
 * spelling already, a user keeps their account under its other names.
 */
export class SpellMailDomainsOneWay1764000006001 implements MigrationInterface {
  name = 'SpellMailDomainsOneWay1764000006001';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    const where = NOT_ASCII[runner.connection.options.type] ?? "login_email REGEXP '[^ -~]'";
    const rows = await tables.run<object[]>(
      `SELECT id, login_email FROM auth_user WHERE ${where} ORDER BY created_at, id`,
    );
    for (const [sub, address] of rows.map((row) => Object.values(row) as [string, string])) {
      const email = emailOf(address.normalize('NFKC'));
      const owners = 'SELECT 1 FROM auth_user WHERE login_email = ?';
      if (email === undefined || (await tables.run<object[]>(owners, [email])).length > 0) continue;
      await tables.run('UPDATE auth_user SET email = ?, login_email = ? WHERE id = ?', [email, email, sub]);
    }
  }

  async down(): Promise<void> {
    // either spelling is an address
  }
}
