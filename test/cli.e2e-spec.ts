import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import {
  cli,
  cliJson,
  type Env,
  folder,
  killAll,
  pause,
  type RunningService,
  SECRET,
  startProcess,
  token,
} from './process.js';
import { databaseOfFolder, itOnSqlite, onSqlite, rowsOf } from './databases.js';

const PASSWORD = 'correct horse battery staple';
const GRANTS = 'password,refresh_token';
/** A client may be remembered for two seconds. */
const CACHED_FOR = 2500;

describe('the commands beside a running service', () => {
  const home = folder();
  let service: RunningService;
  let secret: string;

  const run = (args: string[], input?: string) => cli(home.dir, args, { input });
  const json = <T = Record<string, unknown>>(args: string[], input?: string) => cliJson<T>(home.dir, args, input);
  const post = (body: object, headers?: Env) => token(service.url, body, headers);
  const credentials = (client_id: string, client_secret: string) =>
    post({ client_id, client_secret, grant_type: 'client_credentials' });
  const signIn = (username: string, password = PASSWORD, client_id = 'page') =>
    post({ client_id, grant_type: 'password', username, password }, { 'x-device-id': `device-of-${username}` });
  const refresh = (signedIn: { body: Record<string, unknown> }, client_id = 'page') =>
    post({ client_id, grant_type: 'refresh_token', refresh_token: signedIn.body['refresh_token'] });

  /** Asks again until the change shows; a change to a client may take two seconds. */
  async function within<T>(ms: number, ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
    for (const deadline = Date.now() + ms; ; await pause(50)) {
      const answer = await ask();
      if (good(answer) || Date.now() > deadline) return answer;
    }
  }

  beforeAll(async () => {
    service = await startProcess(home.dir, { NODE_ENV: 'production', AUTH_LIMIT_ACCOUNT: 'off' });
    const [page, server, alice] = await Promise.all([
      run(['clients', 'create', 'page', '--public', '--name', 'The page', '--grants', GRANTS]),
      json(['clients', 'create', 'server']),
      run(['users', 'create', 'alice', '--password-stdin', '--groups', 'staff, admins'], `${PASSWORD}\n`),
    ]);
    expect(page).toEqual({ code: 0, signal: null, stderr: '', stdout: 'client page registered\n' });
    expect(alice.stdout).toMatch(/^user alice created\nsub: [0-9a-f-]{36}\n$/);
    secret = server['client_secret'] as string;
  }, 120_000);

  afterAll(async () => {
    const { code, stderr } = await service.stop();
    killAll();
    home.remove();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  describe('clients', () => {
    it('are known to the running service at once', async () => {
      const made = await run(['clients', 'create', 'worker', '--grants', 'client_credentials', '--scopes', 'a b']);
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const [, shown] = /^client worker registered\nclient_secret: ([\w-]{43})\n$/.exec(made.stdout)!;
      expect(await credentials('worker', shown!)).toMatchObject({ status: 200, body: { scope: 'a b' } });
    }, 60_000);

    it('are created with every option, and the secret is shown this once', async () => {
      const options = ['--name', 'Full', '--grants', 'password,device_code', '--scopes', 'openid email'];
      options.push('--default-scope', 'openid', '--redirect-uri', 'https://a.example/cb', '--need-weda-resource');
      options.push('--redirect-uri', 'com.example.b:/', '--access-token-ttl', '60', '--refresh-token-ttl', '3600');
      options.push('--refresh-retry-window', '30');
      const created = await json(['clients', 'create', 'full', ...options]);
      const client = {
        id: 'full',
        name: 'Full',
        public: false,
        disabled: false,
        grant_types: ['password', 'urn:ietf:params:oauth:grant-type:device_code'],
        scopes: ['openid', 'email'],
        default_scope: ['openid'],
        redirect_uris: ['https://a.example/cb', 'com.example.b:/'],
        access_token_ttl: 60,
        refresh_token_ttl: 3600,
        refresh_retry_window: 30,
        need_weda_resource: true,
        token_endpoint_auth_method: 'client_secret',
        jwks: null,
        jwks_uri: null,
        first_party: false,
        post_logout_redirect_uris: [],
        created_at: expect.any(Number),
      };
      expect(created).toEqual({ ...client, client_secret: expect.stringMatching(/^[\w-]{43}$/) });
      const shown = await json(['clients', 'show', 'full']);
      expect(shown).toEqual({ ...client, secrets: [{ created_at: expect.any(Number), expires_at: null }] });
      const person = await run(['clients', 'show', 'full']);
      expect(person.stdout).toContain('https://a.example/cb, com.example.b:/\n');
      expect(person.stdout).not.toContain(created['client_secret']);
    }, 60_000);

    it('are listed, for people in columns', async () => {
      const [person, machine] = await Promise.all([
        run(['clients', 'list']),
        json<{ id: string }[]>(['clients', 'list']),
      ]);
      expect(person.stdout).toMatch(/^ID +KIND +STATE +GRANT TYPES\n/);
      expect(person.stdout).toMatch(/^page +public +active +password,refresh_token$/m);
      expect(person.stdout).toMatch(/^server +confidential +active +\S+,client_credentials$/m);
      expect(machine.map(({ id }) => id)).toEqual(expect.arrayContaining(['page', 'server']));
    }, 60_000);

    it('may use codes and refresh tokens unless told otherwise, and no passwords (RFC 9700 §2.4)', async () => {
      const codes = ['refresh_token', 'authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'];
      expect(await json(['clients', 'create', 'web', '--public'])).toMatchObject({ grant_types: codes });
      const server = await json(['clients', 'show', 'server']);
      expect(server['grant_types']).toEqual([...codes, 'client_credentials']);
    }, 60_000);

    it('may bring their own secret on standard input, which is not shown again', async () => {
      const own = 'a secret of thirty-two characters';
      const made = await run(['clients', 'create', 'own', '--secret-stdin'], `${own}\n`);
      expect(made).toEqual({ code: 0, signal: null, stderr: '', stdout: 'client own registered\n' });
      expect((await credentials('own', own)).status).toBe(200);
    }, 60_000);

    it('get a new secret, and with --keep-old the old one goes on working that long', async () => {
      const rotated = await run(['clients', 'rotate-secret', 'server', '--keep-old', '3600']);
      const [, next] = /^client_secret: ([\w-]{43})\n$/.exec(rotated.stdout)!;
      await pause(CACHED_FOR);
      expect((await credentials('server', secret)).status).toBe(200);
      expect((await credentials('server', next!)).status).toBe(200);

      // without it every old one stops within the two seconds that a client is remembered
      const { client_secret: last } = await json(['clients', 'rotate-secret', 'server']);
      for (const old of [secret, next!]) {
        const answer = await within(
          CACHED_FOR,
          () => credentials('server', old),
          ({ status }) => status !== 200,
        );
        expect(answer).toMatchObject({ status: 401, body: { error: 'unauthorized_client' } });
      }
      expect((await credentials('server', last as string)).status).toBe(200);
      secret = last as string;
    }, 60_000);

    it('are refused when disabled, lose their sessions, and are let in again when enabled', async () => {
      await json(['clients', 'create', 'other', '--public', '--grants', GRANTS]);
      const signedIn = await signIn('alice', PASSWORD, 'other');
      const disabled = await run(['clients', 'disable', 'other']);
      expect(disabled).toMatchObject({ code: 0, stdout: 'client other disabled, 1 session ended\n' });
      const refused = await within(
        CACHED_FOR,
        () => signIn('alice', PASSWORD, 'other'),
        ({ status }) => status !== 200,
      );
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      const enabled = await json(['clients', 'enable', 'other']);
      expect(enabled).toEqual({ id: 'other', disabled: false, sessions_ended: 0 });
      const again = await within(
        CACHED_FOR,
        () => signIn('alice', PASSWORD, 'other'),
        ({ status }) => status === 200,
      );
      expect(again.status).toBe(200);
      expect((await refresh(signedIn, 'other')).body['error']).toBe('invalid_grant');
    }, 60_000);
  });

  describe('users', () => {
    it('are shown and listed, never with their password', async () => {
      const [person, machine, all, list] = await Promise.all([
        run(['users', 'show', 'ALICE']),
        json(['users', 'show', 'alice']),
        json<unknown[]>(['users', 'list']),
        run(['users', 'list']),
      ]);
      expect(person.stdout).toContain('groups          staff, admins\n');
      expect(machine).toEqual({
        sub: expect.stringMatching(/^[0-9a-f-]{36}$/),
        username: 'alice',
        email: null,
        email_verified: false,
        name: null,
        groups: ['staff', 'admins'],
        disabled: false,
        created_at: expect.any(Number),
      });
      expect(all).toContainEqual(machine);
      expect(list.stdout).toMatch(/^USERNAME +SUB +STATE\n/);
      expect(person.stdout + list.stdout).not.toMatch(/argon2|password/);
    }, 60_000);

    it('can sign in at once, and not once disabled: their sessions end, and stay ended when enabled', async () => {
      await json(['users', 'create', 'bob', '--password-stdin', '--email', 'b@example.com', '--name', 'Bob'], PASSWORD);
      const signedIn = await signIn('bob');
      expect(signedIn.status).toBe(200);
      const disabled = await run(['users', 'disable', 'bob']);
      expect(disabled).toMatchObject({ code: 0, stdout: 'user bob disabled, 1 session ended\n' });
      expect((await signIn('bob')).body['error']).toBe('permission_denied');
      expect((await refresh(signedIn)).body['error']).toBe('invalid_grant');
      expect(await run(['users', 'enable', 'bob'])).toMatchObject({ code: 0, stdout: 'user bob enabled\n' });
      expect((await signIn('bob')).status).toBe(200);
      expect((await refresh(signedIn)).body['error']).toBe('invalid_grant');
    }, 60_000);

    it('are updated and deleted beside the running service, and so are clients', async () => {
      await json(['users', 'create', 'frank', '--password-stdin'], PASSWORD);
      await json(['clients', 'create', 'short', '--public', '--grants', GRANTS]);
      const [atPage, atShort] = [await signIn('frank'), await signIn('frank', PASSWORD, 'short')];
      const updated = await json(['users', 'update', 'frank', '--groups', 'staff', '--email', 'f@example.com']);
      expect(updated).toMatchObject({ groups: ['staff'], email: 'f@example.com', email_verified: false });
      expect(await run(['clients', 'update', 'short', '--scopes', 'openid'])).toMatchObject({
        code: 0,
        stdout: 'client short updated, ended: 1 session\n',
      });
      expect((await refresh(atShort, 'short')).body['error']).toBe('invalid_grant');
      expect(await run(['clients', 'delete', 'short'])).toMatchObject({
        code: 0,
        stdout: 'client short deleted, nothing ended\n',
      });
      expect(await run(['users', 'delete', 'frank'])).toMatchObject({
        code: 0,
        stdout: 'user frank deleted, ended: 1 session\n',
      });
      expect((await refresh(atPage)).body['error']).toBe('invalid_grant');
      expect((await signIn('frank')).body['error']).toBe('invalid_argument');
    }, 120_000);

    it('get a new password, which ends every session of theirs (§Refresh 7)', async () => {
      const { sub } = await json(['users', 'create', 'carol', '--password-stdin'], PASSWORD);
      const signedIn = await signIn('carol');
      const changed = await json(['users', 'set-password', 'carol', '--password-stdin'], 'another one');
      expect(changed).toEqual({ sub, sessions_ended: 1 });
      expect((await refresh(signedIn)).body['error']).toBe('invalid_grant');
      expect((await signIn('carol')).body['error']).toBe('invalid_argument');
      expect((await signIn('carol', 'another one')).status).toBe(200);
    }, 60_000);
  });

  describe('sessions', () => {
    it('are listed, and end by id, by user, by client, or by both', async () => {
      await json(['users', 'create', 'dora', '--password-stdin'], PASSWORD);
      await json(['clients', 'create', 'app', '--public', '--grants', GRANTS]);
      const opened = [await signIn('dora'), await signIn('dora'), await signIn('dora', PASSWORD, 'app')];
      interface Listed {
        id: string;
        client_id: string;
        revoked_at: number | null;
      }
      const list = () => json<Listed[]>(['sessions', 'list', '--user', 'dora']);
      const [listed, person] = await Promise.all([list(), run(['sessions', 'list', '--user', 'dora'])]);
      expect(listed.map(({ client_id }) => client_id)).toEqual(['app', 'page', 'page']);
      expect(person.stdout).toMatch(/^ID +CLIENT +DEVICE +SIGNED IN +STATE\n/);
      expect(person.stdout).toMatch(/^\S{22} +page +device-of-dora +20\S+Z +alive$/m);

      const [, , first] = listed;
      expect(await run(['sessions', 'revoke', first!.id])).toMatchObject({ code: 0, stdout: '1 session ended\n' });
      expect((await refresh(opened[0]!)).body['error']).toBe('invalid_grant');
      const why = await run(['sessions', 'why', '--token-stdin'], `${opened[0]!.body['refresh_token'] as string}\n`);
      expect(why).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ended \S+Z \(SESSION_REVOKED\): /m) });
      expect(why.stdout).toMatch(/^this refresh token is the living one$/m);
      expect(await json(['sessions', 'why', first!.id])).toMatchObject({
        state: 'ended',
        ending: { reason: 'SESSION_REVOKED', by: 'operator', from: expect.stringContaining('@') },
      });
      expect(await run(['sessions', 'why', '--token-stdin'], 'm.x')).toEqual({
        code: 1,
        signal: null,
        stdout: '',
        stderr: 'nest-auth: this is no token of this service, nor of this secret (secret status)\n',
      });
      const again = await run(['sessions', 'revoke', first!.id]);
      expect(again).toMatchObject({ code: 1, stderr: `nest-auth: there is no living session ${first!.id}\n` });

      expect(await json(['sessions', 'revoke', '--client', 'app'])).toEqual({ sessions_ended: 1 });
      expect((await refresh(opened[2]!, 'app')).body['error']).toBe('invalid_grant');
      const both = ['sessions', 'revoke', '--user', 'dora', '--client', 'app'];
      expect(await json(both)).toEqual({ sessions_ended: 0 });
      expect((await list()).map(({ revoked_at }) => revoked_at === null)).toEqual([false, true, false]);
      expect(await json(['sessions', 'revoke', '--user', 'dora'])).toEqual({ sessions_ended: 1 });
      expect((await refresh(opened[1]!)).body['error']).toBe('invalid_grant');
    }, 120_000);
  });

  describe('keys', () => {
    it('are not made by a command that only reads, whatever algorithm its settings name', async () => {
      const before = await json(['keys', 'list']);
      for (const args of [
        ['clients', 'list'],
        ['users', 'show', 'alice'],
        ['keys', 'list'],
      ]) {
        const read = await cli(home.dir, args, { env: { AUTH_SIGNING_ALG: 'RS256' } });
        expect(read).toMatchObject({ code: 0, stderr: '' });
      }
      expect(await json(['keys', 'list'])).toEqual(before);
    }, 120_000);

    it('rotate: the next one is published within two seconds, and tokens go on verifying (RFC 7517 §5)', async () => {
      const jwks = async () =>
        (await (await fetch(`${service.url}/auth/v1/certs`)).json()) as JSONWebKeySet & { keys: { kid: string }[] };
      const verified = async (jwt: unknown) => jwtVerify(jwt as string, createLocalJWKSet(await jwks()));
      const { access_token: before } = (await signIn('alice')).body;
      const made = await json<{ kid: string; signs_from: number }>(['keys', 'rotate']);
      expect(made).toEqual({ kid: expect.any(String), alg: 'ES256', signs_from: expect.any(Number) });
      expect(made.signs_from).toBeGreaterThan(Date.now() + 200_000); // not before every verifier has it
      const [listed, person] = await Promise.all([
        json<{ kid: string; signing: boolean }[]>(['keys', 'list']),
        run(['keys', 'list']),
      ]);
      expect(listed.map(({ signing }) => signing)).toEqual([false, true]);
      expect(person.stdout).toMatch(
        /^KID +ALG +SIGNS FROM +STATE\n\S+ +ES256 +\S+Z +published\n\S+ +ES256 +\S+Z +signing\n$/,
      );
      const published = await within(5000, jwks, ({ keys }) => keys.length === 2);
      expect(published.keys.map(({ kid }) => kid)).toContain(made.kid);
      expect((await verified(before)).payload.sub).toBeDefined();
      const after = await verified((await signIn('alice')).body['access_token']);
      expect(after.protectedHeader.kid).not.toBe(made.kid);
    }, 120_000);

    it('retire: a key is gone within two seconds, another one signs, and sessions go on', async () => {
      const alice = await signIn('alice');
      const [signing, other] = (await json<{ kid: string; signing: boolean }[]>(['keys', 'list'])).sort(
        (a, b) => Number(b.signing) - Number(a.signing),
      );
      const { code, stdout } = await run(['keys', 'retire', signing!.kid]);
      expect([code, stdout]).toEqual([
        0,
        `key ${signing!.kid} retired; ${other!.kid} signs\n` +
          'Access tokens that it signed stop working here within two seconds, and where somebody checks them by a copy of\n' +
          'the JWKS within five minutes. Sessions go on: refresh tokens are not signed by it.\n',
      ]);
      const userinfo = async () =>
        (
          await fetch(`${service.url}/auth/v1/user/me`, {
            headers: { authorization: `Bearer ${String(alice.body['access_token'])}` },
          })
        ).status;
      expect(await within(5000, userinfo, (status) => status === 401)).toBe(401);
      const refreshed = await refresh(alice);
      expect(decodeProtectedHeader(refreshed.body['access_token'] as string).kid).toBe(other!.kid);
      expect(await run(['keys', 'retire', signing!.kid])).toEqual({
        code: 1,
        signal: null,
        stdout: '',
        stderr: `nest-auth: there is no signing key ${signing!.kid}\n`,
      });
    }, 120_000);
  });

  describe('secret status', () => {
    const NEXT = 'the-next-service-secret-9876543210abcdef';
    const status = (AUTH_SECRET: string, AUTH_SECRET_PREVIOUS: string, ...options: string[]) =>
      cli(home.dir, [...options, 'secret', 'status'], { env: { AUTH_SECRET, AUTH_SECRET_PREVIOUS } });

    it('says since when the secret is in use, and exits with 0 where there is no other', async () => {
      const { code, stdout } = await status(SECRET, '');
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/^AUTH_SECRET: in use since \S+Z\nAUTH_SECRET_PREVIOUS: not set\n$/),
      ]);
    });

    it('lists what needs the previous one, and exits with 2 while something does', async () => {
      await signIn('alice');
      const { code, stdout } = await status(NEXT, SECRET);
      expect([code, stdout.split('\n').slice(0, 3)]).toEqual([
        2,
        [
          'AUTH_SECRET: no service was started with it',
          expect.stringMatching(/^AUTH_SECRET_PREVIOUS: last in use as AUTH_SECRET: \S+Z$/),
          expect.stringMatching(/^NEEDS AUTH_SECRET_PREVIOUS +COUNT +UNTIL +WHICH$/),
        ],
      ]);
      expect(stdout).toMatch(/^signing keys +\d +it is used next +\S+$/m);
      expect(stdout).toMatch(/^sessions +\d+ +\S+Z$/m);
      expect(stdout).toMatch(/^pages, forms and codes +\S+Z$/m);
      const { stdout: asJson } = await status(NEXT, SECRET, '--json');
      expect(JSON.parse(asJson)).toMatchObject({
        current_since: null,
        has_previous: true,
        needs: expect.arrayContaining([expect.objectContaining({ what: 'sessions' })]),
      });
    });

    it('exits with 0 where nothing needs it', async () => {
      const url = onSqlite ? `sqlite:${home.file}` : await databaseOfFolder(home.dir);
      await rowsOf(url, 'UPDATE auth_secret_use SET first_used_at = 1, last_used_at = 1'); // long ago
      const { code, stdout } = await status(SECRET, NEXT);
      expect([code, stdout]).toEqual([
        0,
        'AUTH_SECRET: in use since 1970-01-01T00:00:00.001Z\n' +
          'AUTH_SECRET_PREVIOUS: last in use as AUTH_SECRET: not that anybody noted\n' +
          'nothing needs AUTH_SECRET_PREVIOUS any more\n',
      ]);
    });
  });

  it.each([
    [['clients', 'show', 'nobody'], 'nest-auth: there is no client nobody\n'],
    [['clients', 'create', 'page'], 'nest-auth: the client page exists already\n'],
    [['clients', 'rotate-secret', 'page'], 'nest-auth: the client page is public and has no secret\n'],
    [['users', 'show', 'nobody'], 'nest-auth: there is no user nobody\n'],
    [['users', 'create', 'alice', '--password-stdin'], 'nest-auth: the user alice exists already\n'],
  ])('%j fails with one message on standard error and exit code 1', async (args, stderr) => {
    expect(await run(args)).toEqual({ code: 1, signal: null, stdout: '', stderr });
  });
});

describe('a command by itself', () => {
  const home = folder();
  afterAll(() => home.remove());

  it('database migrate makes a fresh file, which then is up to date', async () => {
    const first = await cli(home.dir, ['database', 'migrate']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      onSqlite ? /^a new database was made: \/.+\/auth\.sqlite\n$/ : /^the database is up to date\n$/,
    );
    expect((await cli(home.dir, ['database', 'migrate'])).stdout).toBe('the database is up to date\n');
    expect(await cliJson(home.dir, ['database', 'migrate'])).toEqual({ migrated: true });
    expect((await cli(home.dir, ['clients', 'list'])).stdout).toBe('none\n');
  }, 60_000);

  itOnSqlite(
    'database backup makes a new file for its owner alone, and shrink says what it won',
    async () => {
      const made = await cliJson(home.dir, ['database', 'backup', 'copy.sqlite']);
      const file = join(home.dir, 'copy.sqlite');
      expect(made).toEqual({ file, bytes: statSync(file).size });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const again = await cli(home.dir, ['database', 'backup', 'copy.sqlite']);
      expect(again).toMatchObject({ code: 1, stdout: '', stderr: `nest-auth: ${file} exists already\n` });
      const shrunk = await cli(home.dir, ['database', 'shrink'], { env: { DATABASE_URL: 'sqlite:copy.sqlite' } });
      expect(shrunk).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/^\d\.\d MB before, \d\.\d MB now\n$/),
      });
    },
    60_000,
  );

  it('says in one line that the service secret is another one', async () => {
    await cliJson(home.dir, ['keys', 'rotate']); // the first thing that is sealed under a secret
    const env = { AUTH_SECRET: 'another-service-secret-0123456789abcdef' };
    const refused = await cli(home.dir, ['clients', 'list'], { env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^nest-auth: [^\n]*service secret\n$/);
  }, 30_000); // sooner than a driver closes connections that nobody has closed

  it('prints the whole of a long answer into a pipe', async () => {
    const scopes = Array.from({ length: 8000 }, (_, i) => `s${i}`);
    const words = scopes.join(' '); // nearly as long as one argument may be
    await cliJson(home.dir, ['clients', 'create', 'long', '--scopes', words, '--default-scope', words]);
    const listed = await cliJson<object[]>(home.dir, ['clients', 'list']);
    expect(listed).toEqual([expect.objectContaining({ id: 'long', scopes, default_scope: scopes })]);
  }, 60_000);
});
