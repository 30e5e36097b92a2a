import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import { endedText } from '../holdings/holdings.service.js';
import { endedByOperator } from '../sessions/ending.js';
import { SignOutService } from '../sessions/sign-out.service.js';
import { BuiltInUsers } from './built-in-users.js';
import type { UserChanges } from './user-changes.js';
import type { UserRow } from './user.entity.js';
import type { UserService } from './user.service.js';
import { count, describe, list, type MakeAction, standardInput } from '../../base/commands/command.js';
import { listing, withPages } from '../../base/commands/listing.js';
import { type Page, pages } from '../../base/database/page.js';

export function register(program: Command, action: MakeAction): void {
  const users = program.command('users').description('add and change users');

  users
    .command('create <username>')
    .description('add a user')
    .requiredOption('--password-stdin', 'read the password from standard input')
    .option('--email <address>', 'e-mail address')
    .option('--name <name>', 'full name')
    .option('--groups <a,b>', 'names of groups', list)
    .action(
      action(async (app, username: string, options: { email?: string; name?: string; groups?: string[] }) => {
        const { email, name, groups } = options;
        const password = await standardInput('password');
        const users = tableOf(app);
        if (await users.load(username)) throw new Error(`the user ${username} exists already`);
        const row = await users.create({ username, password, email, name, groups });
        return { text: `user ${row.username} created\nsub: ${row.id}`, json: shownUser(row) };
      }),
    );

  withPages(users.command('list').description('list the users, by username'), 'username').action(
    action(async (app, page: Page) => {
      const service = tableOf(app);
      const all = pages(
        (part) => service.list(part),
        (row) => row.username,
        page,
      );
      const state = ({ disabled }: UserRow) => (disabled ? 'disabled' : 'active');
      return listing(['username', 'sub', 'state'], all, (row) => [row.username, row.id, state(row)], shownUser);
    }),
  );

  users
    .command('show <username>')
    .description('show a user')
    .action(
      action(async (app, username: string) => {
        const json = shownUser(await userNamed(app, username));
        return { text: describe(json), json };
      }),
    );

  users
    .command('update <username>')
    .description('change a user; ends nothing, and shows in tokens from their next refresh on')
    .option('--username <name>', 'the name they sign in by from now on')
    .option('--email <address>', "e-mail address, not verified unless it is the one that was; '' takes it away")
    .option('--email-verified', 'the address is theirs: they may sign in by it')
    .option('--no-email-verified', 'nobody knows that yet')
    .option('--name <name>', "full name; '' takes it away")
    .option('--groups <a,b>', "names of groups, in place of those before; '' leaves none", list)
    .action(
      action(async (app, username: string, options: UserChanges) => {
        const { id } = await userNamed(app, username);
        const { email, name } = options;
        const changes = { ...options, email: email === '' ? null : email, name: name === '' ? null : name };
        const row = await tableOf(app).update(id, changes);
        return { text: `user ${row.username} updated`, json: shownUser(row) };
      }),
    );

  users
    .command('delete <username>')
    .description('remove a user with all that they have; run again, it does what is left')
    .action(
      action(async (app, username: string) => {
        const { id } = await userNamed(app, username);
        const ended = await tableOf(app).delete(id);
        return { text: `user ${username} deleted, ${endedText(ended)}`, json: { sub: id, deleted: true, ended } };
      }),
    );

  users
    .command('disable <username>')
    .description('refuse a user and end their sessions')
    .action(
      action(async (app, username: string) => {
        const { id } = await userNamed(app, username);
        await tableOf(app).setDisabled(id, true);
        const ended = await app.get(SignOutService).end({ sub: id }, endedByOperator('USER_DISABLED'));
        return {
          text: `user ${username} disabled, ${count(ended, 'session')} ended`,
          json: { sub: id, disabled: true, sessions_ended: ended },
        };
      }),
    );

  users
    .command('enable <username>')
    .description('let a user in again')
    .action(
      action(async (app, username: string) => {
        const { id } = await userNamed(app, username);
        await tableOf(app).setDisabled(id, false);
        return { text: `user ${username} enabled`, json: { sub: id, disabled: false, sessions_ended: 0 } };
      }),
    );

  users
    .command('set-password <username>')
    .description('set a password and end the sessions that the old one opened')
    .option('--password-stdin', 'read the password from standard input (always; the option is for symmetry)')
    .action(
      action(async (app, username: string) => {
        const { id } = await userNamed(app, username);
        await tableOf(app).setPassword(id, await standardInput('password'));
        const ended = await app.get(SignOutService).end({ sub: id }, endedByOperator('CREDENTIALS_CHANGED'));
        return { text: `password set, ${count(ended, 'session')} ended`, json: { sub: id, sessions_ended: ended } };
      }),
    );
}

/** @throws AuthError permission_denied where a host application keeps the users */
function tableOf(app: INestApplicationContext): UserService {
  return app.get(BuiltInUsers).table();
}

/** @throws Error that says there is none */
export async function userNamed(app: INestApplicationContext, username: string): Promise<UserRow> {
  const row = await tableOf(app).load(username);
  if (!row) throw new Error(`there is no user ${username}`);
  return row;
}

function shownUser({ id, username, email, login_email, name, groups, disabled, created_at }: UserRow) {
  return { sub: id, username, email, email_verified: login_email !== null, name, groups, disabled, created_at };
}
