#!/usr/bin/env node
import 'reflect-metadata';
import { text } from 'node:stream/consumers';
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { Command, InvalidArgumentError } from 'commander';
import { AppModule } from './app.module.js';
import { ClientService, type NewClient } from './clients/client.service.js';
import type { Client } from './clients/client.entity.js';
import { SCOPE } from './clients/scope.js';
import { KeyService } from './keys/key.service.js';
import { SessionService } from './sessions/session.service.js';
import { readSettings } from './settings.js';
import { GrantService } from './token/grant.service.js';
import type { UserRow } from './users/user.entity.js';
import { UserService } from './users/user.service.js';

/** What a command found or did: a line for people, or the same as JSON. */
interface Result {
  text: string;
  json: unknown;
}

const program = new Command('nest-auth')
  .description(
    'Operates the auth service. It reads the same environment as the service and works beside a running one.',
  )
  .option('--json', 'print JSON')
  .configureHelp({ showGlobalOptions: true });

/** Makes a command's action: the service's providers in, a result out, exit code 1 on any error. */
function action<A extends unknown[]>(work: (app: INestApplicationContext, ...args: A) => Promise<Result>) {
  return async (...args: unknown[]): Promise<void> => {
    let app: INestApplicationContext | undefined;
    try {
      app = await NestFactory.createApplicationContext(AppModule.forRoot(readSettings(process.env)), {
        logger: false,
        abortOnError: false,
      });
      const result = await work(app, ...(args as A));
      console.log(program.opts<{ json?: true }>().json ? JSON.stringify(result.json) : result.text);
    } catch (error) {
      console.error(`nest-auth: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    } finally {
      await app?.close();
    }
  };
}

const clients = program.command('clients').description('register and change clients');

interface CreateClientOptions {
  public?: true;
  name?: string;
  grants?: string[];
  scopes: string[];
  defaultScope?: string[];
  redirectUri: string[];
  postLogoutRedirectUri: string[];
  firstParty?: true;
  accessTokenTtl?: number;
  refreshTokenTtl?: number;
  needWedaResource?: true;
  secretStdin?: true;
}

clients
  .command('create <id>')
  .description('register a client; prints its secret, this once')
  .option('--public', 'a client that cannot keep a secret: an app or a page')
  .option('--name <name>', 'its name, for people')
  .option('--grants <a,b>', 'grant types it may use (default: all, client_credentials only if confidential)', list)
  .option('--scopes <"a b">', 'scopes it may ask for', scope, ['openid', 'profile'])
  .option('--default-scope <"a b">', 'what it gets when it asks for none (default: all of its scopes)', scope)
  .option('--redirect-uri <uri>', 'where authorization codes may be sent; may be repeated', uris, [])
  .option('--post-logout-redirect-uri <uri>', 'where a browser may go after signing out; may be repeated', uris, [])
  .option('--first-party', 'your own: its users are not asked for their consent')
  .option('--access-token-ttl <seconds>', "life of its access tokens (default: the service's)", ttl)
  .option('--refresh-token-ttl <seconds>', "life of its sessions (default: the service's)", ttl)
  .option('--need-weda-resource', 'need_weda_resource in its token responses')
  .option('--secret-stdin', 'read the secret, at least 32 characters, from standard input')
  .action(
    action(async (app, id: string, options: CreateClientOptions) => {
      const service = app.get(ClientService);
      if (!/^[\x21-\x7e]{1,128}$/.test(id)) throw new Error('a client id is 1 to 128 printable ASCII characters');
      if (await service.load(id)) throw new Error(`the client ${id} exists already`);
      if (options.public && options.secretStdin) throw new Error('a public client has no secret');
      const values: NewClient = {
        id,
        name: options.name ?? id,
        public: options.public ?? false,
        grant_types: grants(app.get(GrantService), options.grants, options.public ?? false),
        scopes: options.scopes,
        default_scope: within(options.defaultScope ?? options.scopes, options.scopes),
        redirect_uris: options.redirectUri,
        post_logout_redirect_uris: options.postLogoutRedirectUri,
        first_party: options.firstParty ?? false,
        access_token_ttl: options.accessTokenTtl ?? null,
        refresh_token_ttl: options.refreshTokenTtl ?? null,
        need_weda_resource: options.needWedaResource ?? false,
      };
      const sent = options.secretStdin ? checkedSecret(await line()) : undefined;
      const { client, secret } = await service.create(values, sent);
      const shown = sent === undefined ? secret : undefined;
      return {
        text: shown ? `client ${id} registered\nclient_secret: ${shown}` : `client ${id} registered`,
        json: { ...client, ...(shown ? { client_secret: shown } : {}) },
      };
    }),
  );

clients
  .command('list')
  .description('list the clients')
  .action(
    action(async (app) => {
      const all = await app.get(ClientService).list();
      return { text: table(all.map((client) => [client.id, kind(client), client.grant_types.join(',')])), json: all };
    }),
  );

clients
  .command('show <id>')
  .description('show a client and when its secrets expire')
  .action(
    action(async (app, id: string) => {
      const found = await app.get(ClientService).load(id);
      if (!found) throw new Error(`there is no client ${id}`);
      const secrets = found.secrets.map(({ created_at, expires_at }) => ({ created_at, expires_at }));
      const json = { ...found.client, secrets };
      return { text: describe(json), json };
    }),
  );

for (const [verb, disabled] of [
  ['disable', true],
  ['enable', false],
] as const) {
  clients
    .command(`${verb} <id>`)
    .description(disabled ? 'refuse a client and end its sessions' : 'let a client in again')
    .action(
      action(async (app, id: string) => {
        if (!(await app.get(ClientService).setDisabled(id, disabled))) throw new Error(`there is no client ${id}`);
        const ended = disabled ? await app.get(SessionService).revokeAll({ clientId: id }) : 0;
        return {
          text: `client ${id} ${verb}d` + (disabled ? `, ${ended} sessions ended` : ''),
          json: { id, disabled, sessions_ended: ended },
        };
      }),
    );
}

clients
  .command('rotate-secret <id>')
  .description('give a client a new secret; prints it, this once')
  .option('--keep-old <seconds>', 'how long the old secrets go on working', ttl, 0)
  .action(
    action(async (app, id: string, { keepOld }: { keepOld: number }) => {
      const service = app.get(ClientService);
      const found = await service.load(id);
      if (!found) throw new Error(`there is no client ${id}`);
      if (found.client.public) throw new Error(`the client ${id} is public and has no secret`);
      const secret = await service.rotateSecret(id, keepOld);
      return { text: `client_secret: ${secret}`, json: { id, client_secret: secret } };
    }),
  );

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
      const row = await app.get(UserService).create({ username, password: await line(), email, name, groups });
      return { text: `user ${row.username} created\nsub: ${row.id}`, json: shownUser(row) };
    }),
  );

users
  .command('list')
  .description('list the users')
  .action(
    action(async (app) => {
      const all = await app.get(UserService).list();
      const rows = all.map((row) => [row.username, row.id, row.disabled ? 'disabled' : 'active']);
      return { text: table(rows), json: all.map(shownUser) };
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

for (const [verb, disabled] of [
  ['disable', true],
  ['enable', false],
] as const) {
  users
    .command(`${verb} <username>`)
    .description(disabled ? 'refuse a user and end their sessions' : 'let a user in again')
    .action(
      action(async (app, username: string) => {
        const { id } = await userNamed(app, username);
        await app.get(UserService).setDisabled(id, disabled);
        const ended = disabled ? await app.get(SessionService).revokeAll({ sub: id }) : 0;
        return {
          text: `user ${username} ${verb}d` + (disabled ? `, ${ended} sessions ended` : ''),
          json: { sub: id, disabled, sessions_ended: ended },
        };
      }),
    );
}

users
  .command('set-password <username>')
  .description('set a password and end the sessions that the old one opened')
  .option('--password-stdin', 'read the password from standard input (always; the option is for symmetry)')
  .action(
    action(async (app, username: string) => {
      const { id } = await userNamed(app, username);
      await app.get(UserService).setPassword(id, await line());
      const ended = await app.get(SessionService).revokeAll({ sub: id });
      return { text: `password set, ${ended} sessions ended`, json: { sub: id, sessions_ended: ended } };
    }),
  );

const sessions = program.command('sessions').description('list and end sessions');

sessions
  .command('list')
  .description('list the sessions of a user')
  .requiredOption('--user <username>', 'whose')
  .action(
    action(async (app, { user }: { user: string }) => {
      const { id } = await userNamed(app, user);
      const all = await app.get(SessionService).list(id);
      const rows = all.map((session) => [
        session.id,
        session.client_id,
        session.device_id ?? '-',
        new Date(session.created_at).toISOString(),
        session.revoked_at === null ? 'alive' : 'ended',
      ]);
      return { text: table(rows), json: all };
    }),
  );

sessions
  .command('revoke [id]')
  .description('end one session, or every session of a user or a client')
  .option('--user <username>', 'every session of this user')
  .option('--client <id>', 'every session of this client')
  .action(
    action(async (app, id: string | undefined, { user, client }: { user?: string; client?: string }) => {
      const named = [id, user ?? client].filter((name) => name !== undefined);
      if (named.length !== 1) throw new Error('name a session, or --user or --client or both');
      const service = app.get(SessionService);
      let ended: number;
      if (id !== undefined) {
        if (!(await service.revoke(id))) throw new Error(`there is no living session ${id}`);
        ended = 1;
      } else if (user !== undefined) {
        ended = await service.revokeAll({ sub: (await userNamed(app, user)).id, clientId: client });
      } else {
        ended = await service.revokeAll({ clientId: client! });
      }
      return { text: `${ended} sessions ended`, json: { sessions_ended: ended } };
    }),
  );

const keys = program.command('keys').description('list and rotate signing keys');

keys
  .command('list')
  .description('list the signing keys')
  .action(
    action(async (app) => {
      const all = (await app.get(KeyService).list()).map(({ key: { kid, alg, created_at, signs_from }, signing }) => ({
        kid,
        alg,
        created_at,
        signs_from,
        signing,
      }));
      const rows = all.map((key) => [
        key.kid,
        key.alg,
        new Date(key.signs_from).toISOString(),
        key.signing ? 'signing' : '',
      ]);
      return { text: table(rows), json: all };
    }),
  );

keys
  .command('rotate')
  .description('make a new signing key; it signs once every copy of the old JWKS has run out')
  .action(
    action(async (app) => {
      const { kid, alg, signs_from } = await app.get(KeyService).rotate();
      return { text: `key ${kid} signs from ${new Date(signs_from).toISOString()}`, json: { kid, alg, signs_from } };
    }),
  );

program
  .command('database')
  .description('care for the database')
  .command('migrate')
  .description('bring the schema up to date (the service does so at its start)')
  .action(action(async () => ({ text: 'the database is up to date', json: { migrated: true } })));

await program.parseAsync().catch((error: unknown) => {
  console.error(`nest-auth: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

function list(value: string): string[] {
  return value
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}

function scope(value: string): string[] {
  const words = value.split(/\s+/).filter(Boolean);
  if (words.length > 0 && !SCOPE.test(words.join(' ')))
    throw new InvalidArgumentError('has characters that no scope may have.');
  return [...new Set(words)];
}

function uris(value: string, before: string[]): string[] {
  // RFC 6749 §3.1.2: absolute, without a fragment
  if (!URL.canParse(value) || value.includes('#') || /\s/.test(value))
    throw new InvalidArgumentError('must be an absolute URI without a fragment.');
  return [...before, value];
}

function ttl(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('must be a whole number of seconds.');
  return Number(value);
}

function within(part: string[], whole: string[]): string[] {
  if (!part.every((word) => whole.includes(word))) throw new Error('--default-scope must be part of --scopes');
  return part;
}

function grants(registry: GrantService, named: string[] | undefined, isPublic: boolean): string[] {
  if (!named) return registry.grantTypes.filter((name) => !(isPublic && name === 'client_credentials'));
  return named.map((name) => {
    const known = registry.canonical(name);
    if (known === undefined) throw new Error(`there is no grant type ${name}`);
    if (isPublic && known === 'client_credentials') throw new Error('client_credentials is for confidential clients');
    return known;
  });
}

function checkedSecret(secret: string): string {
  if (!/^[\x20-\x7e]{32,256}$/.test(secret)) throw new Error('a secret is 32 to 256 printable ASCII characters');
  return secret;
}

/** What came on standard input, without the line's end. */
async function line(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}

async function userNamed(app: INestApplicationContext, username: string): Promise<UserRow> {
  const row = await app.get(UserService).load(username);
  if (!row) throw new Error(`there is no user ${username}`);
  return row;
}

function shownUser({ id, username, email, name, groups, disabled, created_at }: UserRow) {
  return { sub: id, username, email, name, groups, disabled, created_at };
}

function kind(client: Client): string {
  return (client.public ? 'public' : 'confidential') + (client.disabled ? ', disabled' : '');
}

function table(rows: string[][]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]!.length))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function describe(values: object): string {
  return table(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
