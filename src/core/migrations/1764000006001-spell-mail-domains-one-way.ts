import type { MigrationInterface, QueryRunner } from 'typeorm';
import { emailOf } from '../users/contact.js';

/** Which addresses may have to be spelled otherwise: the few that are not ASCII. */
const NOT_ASCII: Record<string, string> = {
  sqlite: "login_email GLOB '*[^ -~]*'",
  postgres: "login_email ~ '[^ -~]'",
};

/**
 * Addresses are found by one spelling of their domain from now on. Where somebody else has the same mailbox in that
 * spelling already, a user keeps their account under its other names.
 */
export class SpellMailDomainsOneWay1764000006001 implements MigrationInterface {
  name = 'SpellMailDomainsOneWay1764000006001';

  async up(runner: QueryRunner): Promise<void> {
    const { type } = runner.connection.options;
    const [first, second, third] = type === 'postgres' ? ['$1', '$2', '$3'] : ['?', '?', '?'];
    const where = NOT_ASCII[type] ?? "login_email REGEXP '[^ -~]'";
    const rows = (await runner.query(
      `SELECT id, login_email FROM auth_user WHERE ${where} ORDER BY created_at, id`,
    )) as { id: string; login_email: string }[];
    for (const { id, login_email } of rows) {
      const email = emailOf(login_email.normalize('NFKC'));
      const owners = `SELECT id FROM auth_user WHERE login_email = ${first}`;
      if (email === undefined || ((await runner.query(owners, [email])) as object[]).length > 0) continue;
      const update = `UPDATE auth_user SET email = ${first}, login_email = ${second} WHERE id = ${third}`;
      await runner.query(update, [email, email, id]);
    }
  }

  async down(): Promise<void> {
    // either spelling is an address
  }
}
