import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import request, { type Response } from 'supertest';
import { type Host, install, type Installation } from './host/installation.js';
import { JOURNEY, tokensOfAda } from './host/journey.js';
import { expectError } from './service.js';

const LOTTO = 'urn:example:grant-type:lotto';

jest.setTimeout(60_000); // processes are started

let installation: Installation;
let complaints: string;

beforeAll(async () => {
  installation = await install();
  complaints = await installation.compile();
}, 180_000);
afterAll(() => installation?.remove());

describe('the packed package', () => {
  it('holds what was built, and nothing else', () => {
    const others = installation.files.filter(
      (file) => !/^package\/dist\/(ormconfig|src\/.+)\.(js|js\.map|d\.ts)$/.test(file),
    );
    expect(others.filter((file) => !/^package\/(README\.md|LICENSE)$/.test(file))).toEqual(['package/package.json']);
    expect(installation.files.filter((file) => /[.-]spec\.|\/test\//.test(file))).toEqual([]);
  });

  it('has a lock file without warnings about the engine', () => {
    const { stderr } = spawnSync('npm', ['ci', '--dry-run', '--ignore-scripts', '--offline'], { encoding: 'utf8' });
    expect(stderr).not.toContain('EBADENGINE');
  });

  it('says in one command what an SQLite user of npm 12 has to do, which runs no install scripts', () => {
    const unbuilt = mkdtempSync(join(tmpdir(), 'unbuilt-'));
    const modules = join(unbuilt, 'node_modules');
    cpSync(join(installation.package, 'dist'), join(unbuilt, 'dist'), { recursive: true });
    cpSync(join(installation.package, 'package.json'), join(unbuilt, 'package.json'));
    mkdirSync(modules);
    const sqlite = realpathSync(join(installation.package, '../sqlite3'));
    cpSync(sqlite, join(modules, 'sqlite3'), { recursive: true, filter: (path) => path !== join(sqlite, 'build') });
    for (const name of readdirSync(dirname(sqlite))) {
      if (name !== 'sqlite3' && !name.startsWith('.')) symlinkSync(join(dirname(sqlite), name), join(modules, name));
    }
    const { stderr, status } = spawnSync('node', ['dist/src/cli/main.js', 'database', 'migrate'], {
      cwd: unbuilt,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], AUTH_SECRET: 'a-secret-of-at-least-32-characters-0123456789' },
    });
    rmSync(unbuilt, { recursive: true });
    expect(stderr).toContain(': npm install-scripts approve sqlite3 && npm rebuild sqlite3');
    expect(status).toBe(1);
  });

  it('holds no key, no token and no path of the machine that built it', () => {
    const built = installation.files.filter((file) => file.startsWith('package/dist/'));
    const text = built
      .map((file) => readFileSync(join(installation.package, file.replace('package/', '')), 'utf8'))
      .join('\n');
    expect(text).not.toMatch(/BEGIN [A-Z ]*PRIVATE KEY|m\.[A-Za-z0-9_-]{70}|eyJ[A-Za-z0-9_-]{10}/);
    expect(text).not.toContain(process.cwd());
  });

  it('runs its command nest-auth', () => {
    const command = join(installation.package, 'dist/src/cli/main.js');
    expect(readFileSync(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(execFileSync('node', [command, '--help'], { encoding: 'utf8' })).toMatch(/^Usage: nest-auth /);
  });

  it.each(['module', 'commonjs'] as const)("runs it in a host (%s), which knows the host's own grants", (type) => {
    const command = join(installation.package, 'dist/src/cli/main.js');
    const run = (...args: string[]) => {
      const env = { PATH: process.env['PATH'], HOST_DATABASE: join(installation.package, `${type}.sqlite`) };
      const cwd = join(installation.package, '../..', type);
      const { status, stdout, stderr } = spawnSync('node', [command, ...args], { cwd, env, encoding: 'utf8' });
      return { status, stdout, stderr };
    };
    const app = ['--app', 'dist/app.module.js'];
    expect(run(...app, 'clients', 'create', 'kiosk', '--public', '--grants', LOTTO)).toEqual({
      status: 0,
      stdout: 'client kiosk registered\n',
      stderr: '',
    });
    expect(run(...app, 'clients', 'update', 'kiosk', '--grants', `${LOTTO},refresh_token`)).toEqual({
      status: 0,
      stdout: 'client kiosk updated, nothing ended\n',
      stderr: '',
    });
    expect(JSON.parse(run(...app, '--json', 'clients', 'show', 'kiosk').stdout)).toMatchObject({
      grant_types: [LOTTO, 'refresh_token'],
    });
    expect(run(...app, 'users', 'delete', 'ada')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'nest-auth: Users are kept elsewhere and cannot be changed here.\n',
    });
    expect(run('--app', 'dist/settings.js', 'clients', 'list')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'nest-auth: dist/settings.js exports no module AppModule, and no default\n',
    });
  });

  it("has what a host's tests need, which jest as `nest new` makes it runs by the recipe of the README", () => {
    const cwd = join(installation.package, '../..');
    const [, config] = /```js\n(\/\/ jest\.config[^]*?)```/.exec(
      readFileSync(join(__dirname, '../README.md'), 'utf8'),
    )!;
    writeFileSync(join(cwd, 'jest.config.cjs'), config!);
    cpSync(join(__dirname, 'host/orders.spec.ts'), join(cwd, 'orders.spec.ts'));
    const jest = join(__dirname, '../node_modules/jest/bin/jest.js');
    const { status, stderr } = spawnSync('node', [jest, '--rootDir', cwd], { cwd, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.stringContaining('Tests:       1 passed, 1 total')]);
  });

  it('type-checks in a host, its declarations included, as ES modules and as CommonJS', () => {
    expect(complaints).toBe('');
  });

  it('stops the boot where two classes handle one grant_type, and names both', async () => {
    await expect(installation.start('module', { HOST_WITH_TOMBOLA: '1' })).rejects.toThrow(
      /ended with 1\b[^]*Error: two handlers for the grant_type urn:example:grant-type:lotto: LottoGrant and TombolaGrant/,
    );
  });

  it('stops the boot on a SQLite database in memory, and says why', async () => {
    await expect(installation.start('commonjs', { HOST_DATABASE: ':memory:' })).rejects.toThrow(
      /ended with 1\b[^]*Error: nest-auth needs a SQLite file: an in-memory database cannot be shared/,
    );
  });
});

describe.each([
  ['ES modules on Express, with forRoot and the default data source', 'module', { HOST_WAL: '1' }],
  [
    'CommonJS on Express, with forRootAsync and a named data source with a table prefix and without WAL',
    'commonjs',
    { HOST_ASYNC_OPTIONS: '1', HOST_DATA_SOURCE: 'main', HOST_TABLE_PREFIX: 'host_' },
  ],
  [
    'CommonJS on Fastify, with forRoot and the default data source',
    'commonjs',
    { HOST_WAL: '1', HOST_PLATFORM: 'fastify' },
  ],
] as const)('a host in %s', (_, type, environment: Record<string, string>) => {
  const onFastify = environment['HOST_PLATFORM'] === 'fastify';
  let host: Host;
  /** The same host without AuthModule. */
  let plain: Host;

  beforeAll(async () => {
    [host, plain] = await Promise.all([
      installation.start(type, environment),
      installation.start(type, { ...environment, HOST_WITHOUT_AUTH: '1' }),
    ]);
  });
  afterAll(() => Promise.all([host?.stop(), plain?.stop()]));

  const post = (path: string, body?: object): Promise<Response> =>
    request(host.url)
      .post(path)
      .send(body)
      .then((response) => response);
  const token = (body: object) => post('/api/auth/v1/token', { client_id: 'app', ...body });
  const signIn = (username = 'ada', password = 'correct horse') =>
    token({ grant_type: 'password', username, password });

  describe('keeps its own ways, as they are without the module:', () => {
    const rare = ['GET', '/api/v1/accounts/rare'] as const;
    const eve = { name: 'eve', password: 'long enough' };

    it.each<[string, readonly [string, string, (object | string)?], number, unknown]>([
      ['prefix, version and wrapping interceptor', ['GET', '/api/v1/accounts'], 200, { data: ['ada', 'bob'] }],
      ['body parser', ['POST', '/api/v1/accounts', eve], 201, { data: { name: 'eve' } }],
      [
        'validation pipe',
        ['POST', '/api/v1/accounts', { ...eve, password: 'short', role: 'admin' }],
        400,
        {
          status: 400,
          problem: {
            error: 'Bad Request',
            message: ['property role should not exist', 'password must be longer than or equal to 8 characters'],
            statusCode: 400,
          },
        },
      ],
      ['filter', ['GET', '/api/v1/accounts/broken'], 500, { status: 500, problem: 'a fault of ours' }],
      ['filter, for its database', ['POST', '/api/v1/accounts', eve], 500, { status: 500, problem: 'a fault of ours' }],
      ['404', ['GET', '/api/nothing'], 404, notFound('GET /api/nothing')],
      ['404 beside our routes', ['GET', '/api/auth/v1/nothing'], 404, notFound('GET /api/auth/v1/nothing')],
      [
        '404 outside of its prefix',
        ['POST', '/auth/v1/token', {}],
        404,
        // Express answers what its router doesn't know itself
        undefined,
      ],
      ['limits, first request', rare, 200, { data: 'twice a minute' }],
      ['limits, second request', rare, 200, { data: 'twice a minute' }],
      ['limits, third request', rare, 429, { status: 429, problem: 'ThrottlerException: Too Many Requests' }],
    ])('%s', async (_what, [method, path, body], status, expected) => {
      const [ours, theirs] = await Promise.all([host, plain].map(({ url }) => send(url, method, path, body)));
      expect(ours).toEqual(theirs);
      expect(ours).toMatchObject({ status, ...(expected !== undefined && { body: expected }) });
    });

    const malformed = ['POST', '/api/auth/v1/token', '{'] as const;

    if (onFastify) {
      it('body parser, which leaves the bodies of our routes to us', async () => {
        const { status, body } = await send(host.url, ...malformed);
        expect([status, body]).toEqual([400, expect.objectContaining({ error: 'invalid_argument' })]);
      });
    } else {
      it('answers malformed JSON itself, on our routes too: its parser runs before any route', async () => {
        const [ours, theirs] = await Promise.all([send(host.url, ...malformed), send(plain.url, ...malformed)]);
        expect(ours).toEqual(theirs);
        expect(ours).toMatchObject({ status: 400, body: { problem: { error: 'Bad Request' } } });
      });
    }

    it.each(['/api/v1/accounts', '/api/auth/v1/certs', '/api/device'])('CORS, at %s', async (path) => {
      const asked = await request(host.url).get(path).set('origin', 'https://app.example.com');
      expect(asked.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example.com',
        'access-control-expose-headers': 'x-request-id',
        vary: expect.stringContaining('Origin'),
      });
    });

    it('preflights, at our routes too', async () => {
      const asked = await request(host.url)
        .options('/api/auth/v1/token')
        .set({ origin: 'https://app.example.com', 'access-control-request-method': 'POST' });
      expect(asked.status).toBe(204);
      expect(asked.headers['access-control-allow-origin']).toBe('https://app.example.com');
    });
  });

  describe('serves POST /auth/v1/token under its prefix:', () => {
    it("signs in the host's users", async () => {
      const response = await signIn();
      expect(response.body).toEqual(tokensOfAda);
      expect(response.status).toBe(200);
      expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
    });

    it('refreshes', async () => {
      const { refresh_token } = (await signIn()).body;
      const response = await token({ grant_type: 'refresh_token', refresh_token });
      expect(response.body).toEqual(tokensOfAda);
      expect(response.body.refresh_token).not.toBe(refresh_token);
    });

    it.each(['application/x-www-form-urlencoded', 'text/plain'])('reads %s', async (contentType) => {
      const parameters = { client_id: 'app', grant_type: LOTTO, ticket: '777' };
      const body =
        contentType === 'text/plain' ? JSON.stringify(parameters) : new URLSearchParams(parameters).toString();
      const response = await request(host.url).post('/api/auth/v1/token').type(contentType).send(body);
      expect(response.body).toEqual(tokensOfAda);
    });

    it("gives the host's own clients their tokens", async () => {
      const partner = await post('/api/v1/partners', { id: 'partner' });
      expect(partner.body).toEqual({ data: { client_id: 'partner', client_secret: expect.any(String) } });
      const response = await token({ ...partner.body.data, grant_type: 'client_credentials' });
      expect(response.body).toEqual({
        token_type: 'Bearer',
        access_token: expect.any(String),
        expires_in: 7200,
        scope: 'read',
        sub: 'partner',
        groups: [],
        need_weda_resource: false,
      });
    });

    it("serves the host's own grant", async () => {
      const response = await token({ grant_type: LOTTO, ticket: '777' });
      expect(response.body).toEqual(tokensOfAda);
    });

    it("refuses in the words of the host's own grant, in the documented body", async () => {
      expectError(await token({ grant_type: LOTTO, ticket: '1' }), {
        error: 'access_denied',
        reason: 'TICKET_LOST',
        message: 'The ticket lost. Try another ticket.',
      });
    });

    it("refuses with an error of the host's own", async () => {
      const response = await token({ grant_type: LOTTO, ticket: '0' });
      expect(response.status).toBe(409);
      expect(response.body).toMatchObject({ error: 'draw_closed', error_code: 40990, message: 'The draw is closed.' });
    });

    it.each([
      ['missing', {}, 'PARAMETER_MISSING', 'is required'],
      ['malformed', { ticket: 'x' }, 'PARAMETER_INVALID', 'must be the number of a ticket'],
    ])("judges the parameters of the host's own grant: %s", async (_what, parameters, reason, description) => {
      expectError(await token({ grant_type: LOTTO, ...parameters }), {
        error: 'invalid_argument',
        reason,
        fields: [{ field: 'ticket', description }],
      });
    });

    it.each([
      [
        'a wrong password',
        { grant_type: 'password', username: 'ada', password: 'no' },
        'WRONG_USERNAME_OR_PASSWORD',
        undefined,
      ],
      ['no grant_type', {}, 'PARAMETER_MISSING', [{ field: 'grant_type', description: 'is required' }]],
      [
        'a parameter that is no string',
        { grant_type: ['a'] },
        'PARAMETER_INVALID',
        [{ field: 'grant_type', description: 'must be a string' }],
      ],
    ])('answers %s with the documented body', async (_what, body, reason, fields) => {
      expectError(await token(body), { error: 'invalid_argument', reason, fields });
    });

    it('answers another method with the documented body', async () => {
      expectError(await request(host.url).get('/api/auth/v1/token'), {
        error: 'invalid_argument',
        reason: 'METHOD_NOT_ALLOWED',
        status: 405,
        error_code: 40501,
      });
    });

    it.each([
      ['a media type that we do not read', 'application/xml', '<a/>', 'CONTENT_TYPE_UNSUPPORTED', 415, 41501],
      ['a body that is too large for us', 'text/plain', 'x'.repeat(65_537), 'BODY_TOO_LARGE', 413, 41301],
    ] as const)('answers %s with the documented body', async (_what, type, body, reason, status, error_code) => {
      const response = await request(host.url).post('/api/auth/v1/token').type(type).send(body);
      expectError(response, { error: 'invalid_argument', reason, status, error_code });
    });

    it('reads an empty body that is called JSON as none', async () => {
      const { access_token } = (await signIn()).body as { access_token: string };
      const response = await request(host.url)
        .post('/api/auth/v1/user/signout')
        .set({ authorization: `Bearer ${access_token}`, 'content-type': 'application/json' });
      expect([response.status, response.body]).toEqual([200, {}]);
    });

    it('publishes its keys', async () => {
      const { body } = await request(host.url).get('/api/auth/v1/certs');
      expect(body).toEqual({ keys: [expect.objectContaining({ kty: 'EC', alg: 'ES256', use: 'sig' })] });
    });
  });

  it.each(JOURNEY)('goes through %s', (_what, steps) => steps(host));

  describe('shares its database without sharing its transactions:', () => {
    const endTransaction = () => request(host.url).delete('/api/v1/rollback').expect(200, { data: 'rolled back' });
    const accounts = async () => (await request(host.url).get('/api/v1/accounts')).body;

    it('what we write while the host has one open survives its rollback', async () => {
      await request(host.url).post('/api/v1/rollback').send({ writeAtOnce: false }).expect(201);
      const { data } = (await post('/api/v1/partners', { id: 'survivor' })).body;
      await endTransaction();
      expect(await accounts()).toEqual({ data: ['ada', 'bob', 'eve'] });
      expect((await token({ ...data, grant_type: 'client_credentials' })).body).toMatchObject({ sub: 'survivor' });
    });

    it('a sign-in waits while the host holds the lock, and survives its rollback', async () => {
      await request(host.url).post('/api/v1/rollback').send({ writeAtOnce: true }).expect(201);
      const signingIn = signIn();
      expect(await accounts()).toEqual({ data: ['ada', 'bob', 'early', 'eve'] });
      await endTransaction();
      expect(await accounts()).toEqual({ data: ['ada', 'bob', 'eve'] });
      const { body } = await signingIn;
      expect(body).toEqual(tokensOfAda);
      const refreshed = await token({ grant_type: 'refresh_token', refresh_token: body.refresh_token });
      expect(refreshed.body).toEqual(tokensOfAda);
    });
  });

  describe('has limits apart from ours:', () => {
    it('an account that spent our budget still reaches the routes of the host', async () => {
      for (let attempt = 1; attempt <= 6; attempt++) {
        expectError(await signIn('bob', 'wrong'), { error: 'invalid_argument', reason: 'WRONG_USERNAME_OR_PASSWORD' });
      }
      const refused = await signIn('bob', 'wrong');
      const retryAfter = Number(refused.headers['retry-after']);
      expectError(refused, { error: 'resource_exhausted', reason: 'LIMIT_ACCOUNT', retryAfter });
      expect(retryAfter).toBeLessThanOrEqual(50); // six in 300 s
      expect((await request(host.url).get('/api/v1/accounts')).status).toBe(200);
    });

    it("a spent budget of the host's own route leaves ours alone", async () => {
      expect((await request(host.url).get('/api/v1/accounts/rare')).status).toBe(429);
      expect((await token({ grant_type: LOTTO, ticket: '777' })).status).toBe(200);
    });

    it("the host's global guard counts requests to our route as well, and its refusal has our body", async () => {
      let response = await token({});
      for (let i = 1; i <= 60 && response.status !== 429; i++) response = await token({});
      expect(response.body).toMatchObject({ error: 'resource_exhausted', error_code: 42901, code: 8 });
      expect(response.headers['retry-after']).toMatch(/^\d+$/);
    });
  });

  it('stops on SIGTERM', async () => {
    expect(await host.stop()).toBe(0);
  });
});

function notFound(what: string): object {
  return { status: 404, problem: { error: 'Not Found', message: `Cannot ${what}`, statusCode: 404 } };
}

/** The answer as far as two runs can agree: without moments, and without what counts the seconds since. */
async function send(url: string, method: string, path: string, body?: object | string) {
  const sent = await fetch(url + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const headers = Object.fromEntries(sent.headers);
  for (const name of ['date', 'x-ratelimit-reset', 'retry-after']) delete headers[name];
  const isJson = headers['content-type']?.startsWith('application/json');
  return { status: sent.status, headers, body: isJson ? await sent.json() : await sent.text() };
}
