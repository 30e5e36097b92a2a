import type { Command } from 'commander';
import { KeyService } from './key.service.js';
import { type MakeAction, moment, table } from '../../base/commands/command.js';

export function register(program: Command, action: MakeAction): void {
  const keys = program.command('keys').description('list, rotate and retire signing keys');

  keys
    .command('list')
    .description('list the signing keys')
    .action(
      action(async (app) => {
        const all = (await app.get(KeyService).list()).map(
          ({ key: { kid, alg, created_at, signs_from }, signing }) => ({
            kid,
            alg,
            created_at,
            signs_from,
            signing,
          }),
        );
        const rows = all.map(({ kid, alg, signs_from, signing }) => [
          kid,
          alg,
          moment(signs_from),
          signing ? 'signing' : 'published',
        ]);
        return { text: table(['kid', 'alg', 'signs from', 'state'], rows), json: all };
      }),
    );

  keys
    .command('rotate')
    .description('make a new signing key; it signs once every copy of the old JWKS has run out')
    .action(
      action(async (app) => {
        const { kid, alg, signs_from } = await app.get(KeyService).rotate();
        return { text: `key ${kid} signs from ${moment(signs_from)}`, json: { kid, alg, signs_from } };
      }),
    );

  keys
    .command('retire <kid>')
    .description('take a key out of use at once, because others may know it; tokens that it signed stop working')
    .action(
      action(async (app, kid: string) => {
        const { kid: signing, alg } = await app.get(KeyService).retire(kid);
        const text = [
          `key ${kid} retired; ${signing} signs`,
          'Access tokens that it signed stop working here within two seconds, and where somebody checks them by a copy of',
          'the JWKS within five minutes. Sessions go on: refresh tokens are not signed by it.',
        ];
        return { text: text.join('\n'), json: { retired: kid, signing: { kid: signing, alg } } };
      }),
    );
}
