import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import request from 'supertest';
import { ClientService } from '../src/index.js';
import { listening } from './host/installation.js';
import { type Issuer, startIssuer } from './protection/guarded.js';

const ROOT = resolve(__dirname, '..');

jest.setTimeout(120_000); // a project is compiled, and processes are started

/** What guarding takes, and nothing beside: no database, no HTTP platform. */
const NEEDED = ['@nestjs/common', '@nestjs/core', 'jose', 'lru-cache', 'reflect-metadata', 'rxjs'];

const TYPES = ['module', 'commonjs'];

describe('nest-auth-service/resource-server, as it is built', () => {
  const dir = mkdtempSync(join(tmpdir(), 'resource-server-'));
  const library = join(dir, 'node_modules/nest-auth-service');

  const give = (name: string) => {
    const path = join(dir, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), path);
  };
  const run = (...args: string[]) =>
    execFileSync('node', args, { cwd: dir, encoding: 'utf8', env: { PATH: process.env['PATH'] } });

  beforeAll(() => {
    for (const name of ['dist', 'package.json']) cpSync(join(ROOT, name), join(library, name), { recursive: true });
    NEEDED.forEach(give);
    for (const type of TYPES) {
      cpSync(join(ROOT, 'examples/second-service/src'), join(dir, type, 'src'), { recursive: true });
      writeFileSync(join(dir, type, 'package.json'), JSON.stringify({ name: 'orders', private: true, type }));
    }
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('loads nothing of a database, of Express or of anything else', () => {
    const start = `
      import 'reflect-metadata';
      import { NestFactory } from '@nestjs/core';
      import { ResourceServerModule } from 'nest-auth-service/resource-server';
      const options = { issuer: 'https://auth.example.com', audience: 'https://api.example.com' };
      const app = await NestFactory.createApplicationContext(ResourceServerModule.forRoot(options), { logger: ['error'] });
      await app.close();
      console.log('started');`;
    expect(run('--input-type=module', '-e', start)).toBe('started\n');
  });

  it('type-checks in the application of the README, our declarations included', () => {
    ['@nestjs/platform-express', '@types/node', '@types/express'].forEach(give);
    expect(run(join(__dirname, 'host/compile.mjs'), library, ...TYPES.map((type) => join(dir, type)))).toBe('');
  });

  describe.each(TYPES)('the application of the README (%s)', (type) => {
    let issuer: Issuer;

    beforeAll(async () => {
      issuer = await startIssuer();
    });
    afterAll(() => issuer?.close());

    it('guards its routes by what the other service says', async () => {
      const { secret } = await issuer.service.app.get(ClientService).create({ id: 'orders', grant_types: [] });
      const env = { PATH: process.env['PATH'], PORT: '0', AUTH_ISSUER: issuer.url, AUTH_CLIENT_SECRET: secret };
      const service = spawn('node', ['dist/main.js'], { cwd: join(dir, type), env, timeout: 60_000 });
      const orders = request(await listening(service));
      const now = { iat: Date.now() / 1000, exp: Date.now() / 1000 + 60 };
      const as = (claims: object) => ({ authorization: `Bearer ${issuer.sign({ ...now, ...claims })}` });

      expect((await orders.get('/orders')).status).toBe(401);
      const list = await orders.get('/orders').set(as({ scope: 'orders' }));
      expect([list.status, list.body]).toEqual([200, { orders: [], of: issuer.sub }]);
      // whose session, which the issuer is asked about, there never was
      const dead = await orders.delete('/orders/1').set(as({ scope: 'orders orders.cancel', sid: 'x' }));
      expect(dead.status).toBe(401);
      expect(issuer.asked).toContain('/oauth2/introspect');
      const staff = { scope: 'orders', groups: ['staff', 'sales'] };
      expect((await orders.get('/orders/all').set(as({ ...staff, auth_time: now.iat }))).status).toBe(200);
      expect((await orders.get('/orders/all').set(as(staff))).status).toBe(401);
      expect((await orders.get('/orders/offers')).body).toEqual({ offers: [], of: null });
      service.kill('SIGTERM');
      await once(service, 'exit');
    });
  });
});
