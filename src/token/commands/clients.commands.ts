import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import { TTL_BOUNDS } from '../../core/clients/client-rules.js';
import { ClientService, type RegisteredClient } from '../../core/clients/client.service.js';
import { endedText } from '../../core/holdings/holdings.service.js';
import { endedByOperator } from '../../core/sessions/ending.js';
import { SignOutService } from '../../core/sessions/sign-out.service.js';
import { GrantService } from '../grant.service.js';
import {
  clientChanges,
  type CreateClientOptions,
  jwks,
  newClient,
  orDefault,
  repeated,
  scope,
  seconds,
  type UpdateClientOptions,
} from './client-options.js';
import { count, describe, list, type MakeAction, moment, standardInput } from '../../base/commands/command.js';
import { listing, withPages } from '../../base/commands/listing.js';
import { type Page, pages } from '../../base/database/page.js';

export function register(program: Command, action: MakeAction): void {
  const clients = program.command('clients').description('register and change clients');

  clients
    .command('create <id>')
    .description('register a client; prints its secret, this once')
    .option('--public', 'a client that cannot keep a secret: an app or a page')
    .option('--name <name>', 'its name, for people')
    .option(
      '--grants <a,b>',
      'grant types it may use (default: refresh_token, authorization_code, device_code and, if confidential, client_credentials)',
      list,
    )
    .option('--scopes <"a b">', 'scopes it may ask for (default: "openid profile")', scope)
    .option('--default-scope <"a b">', 'what it gets when it asks for none (default: all of its scopes)', scope)
    .option('--redirect-uri <uri>', 'where authorization codes may be sent; may be repeated', repeated)
    .option('--post-logout-redirect-uri <uri>', 'where a browser may go after signing out; may be repeated', repeated)
    .option('--first-party', 'your own: its users are not asked for their consent')
    .option(
      '--access-token-ttl <seconds>',
      "life of its access tokens (default: the service's)",
      seconds(...TTL_BOUNDS.access_token_ttl),
    )
    .option(
      '--refresh-token-ttl <seconds>',
      "life of its sessions (default: the service's)",
      seconds(...TTL_BOUNDS.refresh_token_ttl),
    )
    .option(
      '--refresh-retry-window <seconds>',
      "how long a rotated refresh token may be presented again, 0 to 300 (default: the service's)",
      seconds(...TTL_BOUNDS.refresh_retry_window),
    )
    .option('--need-weda-resource', 'need_weda_resource in its token responses')
    .option('--jwks-file <file>', 'authenticate it by private_key_jwt, with the public keys in this file', jwks)
    .option('--jwks-uri <uri>', 'the same, with the public keys that it publishes there')
    .option('--secret-stdin', 'read the secret, at least 32 characters, from standard input')
    .action(
      action(async (app, id: string, options: CreateClientOptions) => {
        const service = app.get(ClientService);
        if (await service.load(id)) throw new Error(`the client ${id} exists already`);
        const values = newClient(id, options, app.get(GrantService));
        const sent = options.secretStdin ? await standardInput('secret') : undefined;
        const { client, secret } = await service.create(values, sent);
        const shown = sent === undefined ? secret : undefined;
        return {
          text: shown ? `client ${id} registered\nclient_secret: ${shown}` : `client ${id} registered`,
          json: { ...client, ...(shown ? { client_secret: shown } : {}) },
        };
      }),
    );

  clients
    .command('update <id>')
    .description(
      'change a client; lists take the place of those before. Prints what ended, and a new secret, this once',
    )
    .option('--name <name>', 'its name, for people')
    .option('--grants <a,b>', 'grant types it may use', list)
    .option('--scopes <"a b">', 'scopes it may ask for; sessions with one that it loses end', scope)
    .option('--default-scope <"a b">', 'what it gets when it asks for none (default: what is left of it)', scope)
    .option('--redirect-uri <uri>', 'where authorization codes may be sent; may be repeated', repeated)
    .option(
      '--post-logout-redirect-uri <uri>',
      "where a browser may go after signing out; may be repeated; '' for nowhere",
      repeated,
    )
    .option('--first-party', 'your own: its users are not asked for their consent')
    .option('--no-first-party', 'not your own any more; its sessions with account access end')
    .option('--access-token-ttl <seconds>', 'life of its access tokens, or default', ttl('access_token_ttl'))
    .option('--refresh-token-ttl <seconds>', 'life of its sessions from now on, or default', ttl('refresh_token_ttl'))
    .option('--refresh-retry-window <seconds>', 'as for create, or default', ttl('refresh_retry_window'))
    .option('--need-weda-resource', 'need_weda_resource in its token responses')
    .option('--no-need-weda-resource', 'not in them')
    .option('--public', 'it cannot keep a secret: its secrets or keys are gone, and its sessions end')
    .option('--no-public', 'it can: it gets a secret, unless you name its keys')
    .option('--jwks-file <file>', 'authenticate it by private_key_jwt, with the public keys in this file', jwks)
    .option('--jwks-uri <uri>', 'the same, with the public keys that it publishes there')
    .option('--no-keys', 'authenticate it by a secret again')
    .option('--secret-stdin', 'read that secret, at least 32 characters, from standard input')
    .action(
      action(async (app, id: string, options: UpdateClientOptions) => {
        await clientNamed(app, id);
        const changes = clientChanges(options, app.get(GrantService));
        const sent = options.secretStdin ? await standardInput('secret') : undefined;
        const { client, secret, ended } = await app.get(ClientService).update(id, changes, sent);
        const shown = sent === undefined ? secret : undefined;
        return {
          text: `client ${id} updated, ${endedText(ended)}${shown ? `\nclient_secret: ${shown}` : ''}`,
          json: { ...client, ended, ...(shown ? { client_secret: shown } : {}) },
        };
      }),
    );

  clients
    .command('delete <id>')
    .description('remove a client with all that it has; run again, it does what is left')
    .action(
      action(async (app, id: string) => {
        await clientNamed(app, id);
        const ended = await app.get(ClientService).delete(id);
        return { text: `client ${id} deleted, ${endedText(ended)}`, json: { id, deleted: true, ended } };
      }),
    );

  withPages(clients.command('list').description('list the clients, by id'), 'id').action(
    action(async (app, page: Page) => {
      const service = app.get(ClientService);
      const all = pages(
        (part) => service.list(part),
        (client) => client.id,
        page,
      );
      return listing(['id', 'kind', 'state', 'grant types'], all, (client) => [
        client.id,
        client.public ? 'public' : 'confidential',
        client.disabled ? 'disabled' : 'active',
        client.grant_types.join(','),
      ]);
    }),
  );

  clients
    .command('show <id>')
    .description('show a client and when its secrets expire')
    .action(
      action(async (app, id: string) => {
        const found = await clientNamed(app, id);
        const secrets = found.secrets.map(({ created_at, expires_at }) => ({ created_at, expires_at }));
        const lives = secrets.map(
          ({ created_at, expires_at }) =>
            `since ${moment(created_at)}` + (expires_at === null ? '' : ` until ${moment(expires_at)}`),
        );
        return { text: describe({ ...found.client, secrets: lives }), json: { ...found.client, secrets } };
      }),
    );

  clients
    .command('disable <id>')
    .description('refuse a client and end its sessions')
    .action(
      action(async (app, id: string) => {
        await clientNamed(app, id);
        await app.get(ClientService).setDisabled(id, true);
        const ended = await app.get(SignOutService).end({ clientId: id }, endedByOperator('CLIENT_DISABLED'));
        return {
          text: `client ${id} disabled, ${count(ended, 'session')} ended`,
          json: { id, disabled: true, sessions_ended: ended },
        };
      }),
    );

  clients
    .command('enable <id>')
    .description('let a client in again')
    .action(
      action(async (app, id: string) => {
        await clientNamed(app, id);
        await app.get(ClientService).setDisabled(id, false);
        return { text: `client ${id} enabled`, json: { id, disabled: false, sessions_ended: 0 } };
      }),
    );

  clients
    .command('rotate-secret <id>')
    .description('give a client a new secret; prints it, this once')
    .option('--keep-old <seconds>', 'how long the old secrets go on working', seconds(0, 999_999_999), 0)
    .action(
      action(async (app, id: string, { keepOld }: { keepOld: number }) => {
        const { client } = await clientNamed(app, id);
        if (client.token_endpoint_auth_method !== 'client_secret') {
          throw new Error(
            `the client ${id} ${client.public ? 'is public' : 'authenticates by its keys'} and has no secret`,
          );
        }
        const secret = await app.get(ClientService).rotateSecret(id, keepOld);
        return { text: `client_secret: ${secret}`, json: { id, client_secret: secret } };
      }),
    );
}

function ttl(of: keyof typeof TTL_BOUNDS) {
  const [min, max] = TTL_BOUNDS[of];
  return orDefault(seconds(min, max));
}

async function clientNamed(app: INestApplicationContext, id: string): Promise<RegisteredClient> {
  const found = await app.get(ClientService).load(id);
  if (!found) throw new Error(`there is no client ${id}`);
  return found;
}
