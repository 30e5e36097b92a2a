import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getDataSourceToken } from '@nestjs/typeorm';
import request from 'supertest';
import type { DataSource } from 'typeorm';
import { type OptionalWing, ClientService, UserService } from '../src/index.js';
import { startHost } from './host.js';

const ROOT = resolve(__dirname, '..');

jest.setTimeout(180_000); // a project is compiled

/** A path of the wing, and one of the other. */
const ROUTES: Record<OptionalWing, [method: 'get' | 'post', path: string][]> = {
  oauth: [
    ['get', '/.well-known/openid-configuration'],
    ['get', '/oauth2/authorize'],
    ['post', '/oauth2/token'],
    ['get', '/device'],
  ],
  cloudbase: [
    ['post', '/auth/v1/signin'],
    ['get', '/auth/v1/user/me'],
    ['post', '/auth/v1/verification'],
  ],
};
const TABLES: Record<OptionalWing, string[]> = {
  oauth: ['auth_browser_session', 'auth_consent', 'auth_pushed_request'],
  cloudbase: ['auth_verification', 'auth_verification_allowance'],
};

const BOTH: OptionalWing[] = ['oauth', 'cloudbase'];

describe.each(BOTH)('the wing %s can be taken out of the project:', (wing) => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'auth-without-'));
    for (const name of ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'ormconfig.ts']) {
      cpSync(join(ROOT, name), join(dir, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    rmSync(join(dir, 'src', wing), { recursive: true });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('two lines name it', () => {
    const named = ['src/optional-wings.ts', 'src/index.ts'].map((name) => {
      const file = join(dir, name);
      const lines = readFileSync(file, 'utf8').split('\n');
      const kept = lines.filter((line) => !line.includes(`'./${wing}/`));
      writeFileSync(file, kept.join('\n'));
      return lines.length - kept.length;
    });
    expect(named).toEqual([1, 1]);
  });

  it('without them the rest type-checks and answers POST /auth/v1/token', async () => {
    const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--incremental', 'false'];
    execFileSync(process.execPath, tsc, { cwd: dir, stdio: 'pipe' });
    if (wing !== 'oauth') {
      const templates = 'src/oauth/pages/templates';
      cpSync(join(dir, templates), join(dir, 'dist', templates), { recursive: true });
    }
    const service = spawn(process.execPath, ['dist/src/service/main.js'], {
      cwd: dir,
      env: { PATH: process.env['PATH'], PORT: '0', AUTH_ISSUER: 'http://127.0.0.1' },
    });
    let printed = '';
    service.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    service.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    try {
      while (service.exitCode === null && !/curl -s .*'\n/.test(printed)) await once(service.stdout, 'data');
      const [, url, body] = /curl -s (\S+)\/auth\/v1\/token .* -d '(.*)'/.exec(printed) ?? [];
      const answer = await request(url!)
        .post('/auth/v1/token')
        .send(JSON.parse(body!) as object);
      expect(answer.body).toMatchObject({ token_type: 'Bearer', refresh_token: expect.stringMatching(/^m\./) });
      const [method, path] = ROUTES[wing][0]!;
      expect((await request(url!)[method](path)).status).toBe(404);
    } finally {
      service.kill('SIGTERM');
      if (service.exitCode === null) await once(service, 'exit');
    }
  });
});

describe.each(BOTH)('a host leaves the wing %s out:', (wing) => {
  const other = BOTH.find((name) => name !== wing)!;

  it('its routes are gone and its tables are not made; the rest is as it was', async () => {
    const host = await startHost({}, { without: [wing] });
    const status = async ([method, path]: [method: 'get' | 'post', path: string]) =>
      (await request(host.url)[method](path)).status;
    expect(await Promise.all(ROUTES[wing].map(status))).toEqual(ROUTES[wing].map(() => 404));
    expect(await Promise.all(ROUTES[other].map(status))).not.toContain(404);

    const rows = await host.app
      .get<DataSource>(getDataSourceToken())
      .query<{ name: string }[]>("SELECT name FROM sqlite_master WHERE type = 'table'");
    const tables = rows.map(({ name }) => name);
    expect(tables).toEqual(expect.arrayContaining(['auth_session', ...TABLES[other]]));
    expect(tables.filter((name) => TABLES[wing].includes(name))).toEqual([]);

    await host.app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password', 'refresh_token'] });
    await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' });
    const credentials = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    const { body } = await request(host.url).post('/auth/v1/token').send(credentials);
    const refresh = { client_id: 'app', grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect((await request(host.url).post('/auth/v1/token').send(refresh)).status).toBe(200);
    await host.close();
  });
});

it('discovery names the grants of the wings that are there, and no others', async () => {
  const grants = async (without: OptionalWing[]) => {
    const host = await startHost({}, { without });
    const { body } = await request(host.url).get('/.well-known/openid-configuration');
    await host.close();
    return body.grant_types_supported as string[];
  };
  const all = await grants([]);
  const some = await grants(['cloudbase']);
  expect(all.filter((grant) => !some.includes(grant)).sort()).toEqual([
    'urn:nest-auth:grant-type:anonymous',
    'urn:nest-auth:grant-type:sign_up',
    'urn:nest-auth:grant-type:verification',
  ]);
});

it('refuses to leave out what cannot be', async () => {
  await expect(startHost({}, { without: ['token' as OptionalWing] })).rejects.toThrow(
    'there is no token that could be left out',
  );
});
