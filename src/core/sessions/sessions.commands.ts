import type { Command } from 'commander';
import { SignOutService } from './sign-out.service.js';
import { SessionService } from './session.service.js';
import { count, type MakeAction, moment } from '../../base/commands/command.js';
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
          session.revoked_at === null ? 'alive' : 'ended',
        ]);
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
        let ended: number;
        if (id !== undefined && user === undefined && client === undefined) {
          if (!(await service.revoke(id))) throw new Error(`there is no living session ${id}`);
          ended = 1;
        } else if (id === undefined && user !== undefined) {
          const { id: sub } = await userNamed(app, user);
          ended =
            client === undefined
              ? await app.get(SignOutService).everywhere(sub)
              : await app.get(SignOutService).end({ sub, clientId: client });
        } else if (id === undefined && client !== undefined) {
          ended = await app.get(SignOutService).end({ clientId: client });
        } else {
          throw new Error('name a session, or --user or --client or both');
        }
        return { text: `${count(ended, 'session')} ended`, json: { sessions_ended: ended } };
      }),
    );
}
