import type { Command } from 'commander';
import { endedByOperator } from './ending.js';
import { SessionStories, told } from './session-story.js';
import { SignOutService } from './sign-out.service.js';
import { SessionService } from './session.service.js';
import { count, describe, type MakeAction, moment, standardInput } from '../../base/commands/command.js';
import { userNamed } from '../users/users.commands.js';
import { listing, withPages } from '../../base/commands/listing.js';
import { type Page, pages } from '../../base/database/page.js';

export function register(program: Command, action: MakeAction): void {
  const sessions = program.command('sessions').description('list and end sessions');

  withPages(sessions.command('list').description('list the sessions of a user, newest first'), 'id')
    .requiredOption('--user <username>', 'whose')
    .action(
      action(async (app, { user, after, limit }: { user: string } & Page) => {
        const { id } = await userNamed(app, user);
        const service = app.get(SessionService);
        const before = after === undefined ? undefined : await service.find(after);
        if (after !== undefined && before?.sub !== id) throw new Error(`${user} has no session ${after}`);
        const all = pages(
          (part) => service.list(id, part),
          (session) => session,
          { after: before, limit },
        );
        return listing(['id', 'client', 'device', 'signed in', 'state'], all, (session) => [
          session.id,
          session.client_id,
          session.device_id ?? '-',
          moment(session.created_at),
          session.revoked_at === null
            ? 'alive'
            : `ended${session.end_reason === null ? '' : ` (${session.end_reason})`}`,
        ]);
      }),
    );

  sessions
    .command('show <id>')
    .description('show a session')
    .action(
      action(async (app, id: string) => {
        const session = await app.get(SessionService).find(id);
        if (!session) throw new Error(gone(id));
        return { text: describe(session), json: session };
      }),
    );

  sessions
    .command('why [id]')
    .description('tell whether a session is alive, or else when it ended, why, by whose doing and from where')
    .option('--token-stdin', 'read a refresh token or an access token of it from standard input')
    .action(
      action(async (app, id: string | undefined, { tokenStdin }: { tokenStdin?: true }) => {
        if ((id === undefined) === (tokenStdin === undefined)) throw new Error('name a session, or --token-stdin');
        const stories = app.get(SessionStories);
        const story = await (id === undefined ? stories.ofToken(await standardInput('token')) : stories.of(id));
        if (story === null) throw new Error('this is no token of this service, nor of this secret (secret status)');
        if (story === undefined) throw new Error(gone(id ?? 'of this token'));
        return { text: told(story), json: story };
      }),
    );

  sessions
    .command('revoke [id]')
    .description('end one session, or every session of a user, of a client, or of a user at a client')
    .option('--user <username>', 'every session of this user')
    .option('--client <id>', 'every session of this client')
    .action(
      action(async (app, id: string | undefined, { user, client }: { user?: string; client?: string }) => {
        const service = app.get(SessionService);
        const ending = endedByOperator('SESSION_REVOKED');
        let ended: number;
        if (id !== undefined && user === undefined && client === undefined) {
          if (!(await service.revoke(id, ending))) throw new Error(`there is no living session ${id}`);
          ended = 1;
        } else if (id === undefined && user !== undefined) {
          const { id: sub } = await userNamed(app, user);
          ended =
            client === undefined
              ? await app.get(SignOutService).everywhere(sub, ending)
              : await app.get(SignOutService).end({ sub, clientId: client }, ending);
        } else if (id === undefined && client !== undefined) {
          ended = await app.get(SignOutService).end({ clientId: client }, ending);
        } else {
          throw new Error('name a session, or --user or --client or both');
        }
        return { text: `${count(ended, 'session')} ended`, json: { sessions_ended: ended } };
      }),
    );
}

function gone(id: string): string {
  return `there is no session ${id}: it expired and was removed, went with its user or client, or never was`;
}
