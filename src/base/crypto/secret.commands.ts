import type { Command } from 'commander';
import { type MakeAction, moment, table } from '../commands/command.js';
import type { SecretNeed } from './secret-need.js';
import { type SecretStatus, SecretUses } from './secret-uses.js';

const DONE = 'nothing needs AUTH_SECRET_PREVIOUS any more';

export function register(program: Command, action: MakeAction): void {
  const secret = program.command('secret').description('change the service secret');

  secret
    .command('status')
    .description('what still needs AUTH_SECRET_PREVIOUS; exits with 2 while something does')
    .action(
      action(async (app) => {
        const status = await app.get(SecretUses).status();
        return { text: textOf(status), json: status, exitCode: status.needs.length === 0 ? 0 : 2 };
      }),
    );
}

function textOf({ current_since, has_previous, previous_used_at, needs }: SecretStatus): string {
  const current = current_since === null ? 'no service was started with it' : `in use since ${moment(current_since)}`;
  if (!has_previous) return `AUTH_SECRET: ${current}\nAUTH_SECRET_PREVIOUS: not set`;
  const previous = previous_used_at === null ? 'not that anybody noted' : moment(previous_used_at);
  return [
    `AUTH_SECRET: ${current}`,
    `AUTH_SECRET_PREVIOUS: last in use as AUTH_SECRET: ${previous}`,
    needs.length === 0 ? DONE : table(['needs AUTH_SECRET_PREVIOUS', 'count', 'until', 'which'], needs.map(cells)),
  ].join('\n');
}

function cells({ what, count, until, which = [] }: SecretNeed): string[] {
  return [what, String(count ?? ''), until === null ? 'it is used next' : moment(until), which.join(', ')];
}
