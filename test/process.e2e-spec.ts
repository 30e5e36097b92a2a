import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import {
  cli,
  cliJson,
  folder,
  killAll,
  listening,
  logOf,
  pause,
  type RunningService,
  SECRET,
  SETTABLE_CLOCK,
  spawnService,
  startProcess,
  token,
} from './process.js';
import { databaseOfFolder, itOnSqlite } from './databases.js';

const LONG = 120_000;

describe('the service as a process', () => {
  const homes: ReturnType<typeof folder>[] = [];
  const home = () => {
    const made = folder();
    homes.push(made);
    return made;
  };
  afterAll(() => {
    killAll();
    for (const { remove } of homes) remove();
  });

  /** A service with a public client `app` and the user `ada`. */
  const withUser = async (env: Record<string, string> = {}): Promise<{ dir: string; service: RunningService }> => {
    const { dir } = home();
    await cliJson(dir, ['database', 'migrate']);
    await cliJson(dir, ['clients', 'create', 'app', '--public', '--grants', 'password,refresh_token']);
    await cliJson(dir, ['users', 'create', 'ada', '--password-stdin'], 'correct horse');
    return { dir, service: await startProcess(dir, env) };
  };
  const signIn = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };

  it(
    'starts on nothing at all: makes its secret and database, and prints a request that returns tokens, this once',
    async () => {
      const { dir } = home();
      const env = { PORT: '0' };
      const first = spawnService(dir, env);
      await listening(first);
      while (!first.stdout().includes('curl -s')) await pause(5);
      const body = JSON.parse(/-d '(.+)'/.exec(first.stdout())![1]!) as Record<string, string>;
      const answer = await token(first.url, body);
      expect([answer.status, Object.keys(answer.body)[0]]).toEqual([200, 'token_type']);
      const refreshed = await token(first.url, {
        client_id: body['client_id'],
        grant_type: 'refresh_token',
        refresh_token: answer.body['refresh_token'],
      });
      expect(refreshed.status).toBe(200);
      for (const file of ['data/auth.secret', 'data/auth.sqlite']) {
        expect([file, statSync(join(dir, file)).mode & 0o777]).toEqual([file, 0o600]);
      }
      expect(await first.stop()).toMatchObject({ code: 0, stderr: '' });
      const second = spawnService(dir, env);
      await listening(second);
      expect((await token(second.url, body)).status).toBe(200);
      const { stdout } = await second.stop();
      expect(stdout).not.toContain('curl');
    },
    LONG,
  );

  it.each<[string, Record<string, string>]>([
    ['AUTH_SECRET', { AUTH_SECRET: 'too short a secret' }],
    ['AUTH_ISUER', { AUTH_ISUER: 'https://auth.example.com' }],
    ['NODE_ENV', { NODE_ENV: 'prod' }],
  ])(
    'says in one line that %s is wrong: %j',
    async (name, env) => {
      const { code, stdout, stderr } = await spawnService(home().dir, { PORT: '0', AUTH_SECRET: SECRET, ...env }).ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^nest-auth did not start: ${name}: [^\\n]+\\n$`));
      expect(stderr).not.toContain('too short a secret');
    },
    LONG,
  );

  it(
    'does not start under another secret than the one its database was made with, or on a port that is taken',
    async () => {
      const { dir, service } = await withUser();
      const other = await spawnService(dir, {
        PORT: '0',
        DATABASE_URL: await databaseOfFolder(dir),
        AUTH_SECRET: 'another-service-secret-for-tests-0123',
      }).ended;
      expect(other.stderr).toBe(
        'nest-auth did not start: the signing keys in the database were made under another service secret\n',
      );
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const { port } = taken.address() as { port: number };
      const late = await spawnService(home().dir, { PORT: String(port), AUTH_SECRET: SECRET }).ended;
      expect([late.code, late.stderr]).toEqual([1, `nest-auth did not start: PORT: ${port} is in use already\n`]);
      await new Promise((resolve) => taken.close(resolve));
      expect(await service.stop()).toMatchObject({ code: 0 });
    },
    LONG,
  );

  it(
    'answers what is under way when it is told to stop, and ends with 0',
    async () => {
      const { service } = await withUser();
      const answers = Array.from({ length: 8 }, () => token(service.url, signIn));
      await Promise.race(answers); // by then all have arrived, and most still wait for their hash
      const ending = service.stop();
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(8).fill(200));
      expect(await ending).toMatchObject({ code: 0, signal: null, stderr: '' });
    },
    LONG,
  );

  it(
    'writes JSON lines with the request id, and never a secret, wherever it was put',
    async () => {
      const { dir, service } = await withUser({ LOG_LEVEL: 'trace' });
      const { client_secret } = await cliJson<{ client_secret: string }>(dir, ['clients', 'create', 'backend']);
      const { body } = await token(service.url, signIn, { 'x-request-id': 'my-request-1' });
      const secrets = [
        'correct horse',
        client_secret,
        ...['access_token', 'refresh_token', 'id_token'].map((name) => body[name] as string),
      ];
      const basic = Buffer.from(`backend:${client_secret}`).toString('base64');
      await token(service.url, { grant_type: 'client_credentials' }, { authorization: `Basic ${basic}` });
      await token(service.url, { client_id: client_secret, client_secret: 'backend' }, { 'x-request-id': 'bad id!' });
      await token(service.url, { ...signIn, username: body['refresh_token'], scope: body['access_token'] });
      for (const secret of secrets) {
        await fetch(`${service.url}/auth/v1/token?refresh_token=${encodeURIComponent(secret)}`, { method: 'POST' });
        await fetch(`${service.url}/${encodeURIComponent(secret)}`, { headers: { authorization: `Bearer ${secret}` } });
      }
      const { stdout } = await service.stop();
      expect([...secrets, basic].filter((secret) => stdout.includes(secret))).toEqual([]);
      const log = logOf(stdout);
      expect(stdout.trim().split('\n')).toHaveLength(log.length);
      expect(log.every(({ level, time }) => typeof level === 'string' && typeof time === 'number')).toBe(true);
      expect(log).toContainEqual(
        expect.objectContaining({ msg: 'request', requestId: 'my-request-1', path: '/auth/v1/token', status: 200 }),
      );
      expect(stdout).not.toContain('bad id!');
    },
    LONG,
  );

  it(
    'believes X-Forwarded-For from nobody unless told to',
    async () => {
      const guess = (service: RunningService, n: number) =>
        token(service.url, { ...signIn, username: `user${n}` }, { 'x-forwarded-for': `198.51.100.${n}` });
      const { service } = await withUser({ AUTH_LIMIT_IP: '3/60' });
      const alone = [];
      for (let n = 0; n < 4; n++) alone.push((await guess(service, n)).status);
      expect(alone).toEqual([400, 400, 400, 429]);
      await service.stop();
      const behind = await withUser({ AUTH_LIMIT_IP: '3/60', AUTH_TRUST_PROXY: 'loopback' });
      const proxied = [];
      for (let n = 0; n < 4; n++) proxied.push((await guess(behind.service, n)).status);
      expect(proxied).toEqual([400, 400, 400, 400]);
      await behind.service.stop();
    },
    LONG,
  );

  itOnSqlite(
    'is not ready while nothing more can be written to the disk, and is again once it can',
    async () => {
      const { service } = await withUser();
      const status = async () => (await fetch(`${service.url}/health/ready`)).status;
      const allow = (bytes: string) => execFileSync('prlimit', ['--pid', String(service.pid), `--fsize=${bytes}:`]);
      expect(await status()).toBe(200);
      allow('1');
      expect(await token(service.url, signIn)).toMatchObject({ status: 503, body: { error: 'unavailable' } });
      expect(await status()).toBe(503);
      allow('unlimited');
      expect(await status()).toBe(200);
      expect((await token(service.url, signIn)).status).toBe(200);
    },
    20_000,
  );

  it(
    'keeps nobody out when its clock is set back by an hour, and makes no wait longer than its window',
    async () => {
      const { service } = await withUser({ ...SETTABLE_CLOCK, AUTH_LIMIT_IP: '3/60' });
      const before = await token(service.url, signIn);
      expect(before.status).toBe(200);
      service.signal('SIGUSR2');
      await pause(200);
      let answer = await token(service.url, signIn);
      expect(answer.status).toBe(200);
      const [iat, later] = [before, answer].map(({ body }) => decodeJwt(body['access_token'] as string).iat!);
      expect(later! - iat!).toBeLessThan(-3000);
      const refresh = { client_id: 'app', grant_type: 'refresh_token', refresh_token: before.body['refresh_token'] };
      expect((await token(service.url, refresh)).status).toBe(200);
      for (let i = 0; i < 4 && answer.status === 200; i++) answer = await token(service.url, signIn);
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(20);
      await service.stop();
    },
    LONG,
  );

  it(
    'comes up twice at the same moment on the same new file',
    async () => {
      const { dir } = home();
      const both = await Promise.all([startProcess(dir), startProcess(dir)]);
      for (const service of both) expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
      expect((await cli(dir, ['database', 'migrate'])).code).toBe(0);
      for (const service of both) expect(await service.stop()).toMatchObject({ code: 0 });
    },
    LONG,
  );
});
