import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import request from 'supertest';
import { install, type Installation, listening } from './host/installation.js';
import { snippets } from './host/snippets.js';
import { freePort, SECRET } from './process.js';

const ROOT = resolve(__dirname, '..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

jest.setTimeout(180_000); // two projects are compiled

describe('the examples', () => {
  let installation: Installation;
  const started: ChildProcess[] = [];

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(async () => {
    for (const child of started) child.kill('SIGTERM');
    await Promise.all(started.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'close')));
    installation.remove();
  });

  const folder = (name: string) => join(installation.package, '../..', name);
  const made = (name: string) => {
    cpSync(join(ROOT, 'examples', name), folder(name), { recursive: true });
    execFileSync('node', [TSC], { cwd: folder(name), encoding: 'utf8' });
  };
  const start = (name: string, env: object) => {
    const child = spawn('node', ['dist/main.js'], {
      cwd: folder(name),
      env: { PATH: process.env['PATH'], ...env },
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    started.push(child);
    return listening(child);
  };

  it("compile with the README's snippets beside them, as `nest new` has it", () => {
    cpSync(join(ROOT, 'examples/embedded'), folder('snippets'), { recursive: true });
    for (const [name, text] of Object.entries(snippets())) writeFileSync(join(folder('snippets/src'), name), text);
    const { stdout } = spawnSync('node', [TSC, '--noEmit'], { cwd: folder('snippets'), encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(Object.keys(snippets()).length).toBeGreaterThan(10);
  });

  it('compile as `nest new` has it, start, and the second service takes what the first one issues', async () => {
    made('embedded');
    made('second-service');
    const port = String(await freePort());
    const env = {
      PORT: port,
      AUTH_ISSUER: `http://localhost:${port}`,
      AUTH_SECRET: SECRET,
      ADA_PASSWORD: 'correct horse',
    };
    const embedded = await start('embedded', env);

    const command = join(installation.package, 'dist/src/cli/main.js');
    const args = ['--app', 'dist/app.module.js', '--json', 'clients', 'create', 'orders'];
    const registered = execFileSync('node', [command, ...args], {
      cwd: folder('embedded'),
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    });
    const { client_secret } = JSON.parse(registered) as { client_secret: string };
    const orders = await start('second-service', {
      PORT: '0',
      AUTH_ISSUER: env.AUTH_ISSUER,
      AUTH_CLIENT_SECRET: client_secret,
    });

    const { body } = await request(embedded)
      .post('/auth/v1/token')
      .send({ client_id: 'web', grant_type: 'password', username: 'ada', password: 'correct horse' });
    const as = { authorization: `Bearer ${body.access_token}` };
    for (const url of [embedded, orders]) {
      expect((await request(url).get('/orders')).status).toBe(401);
      expect((await request(url).get('/orders').set(as)).body).toEqual({ orders: [], of: body.sub });
    }
    expect((await request(orders).delete('/orders/1').set(as)).status).toBe(403); // `orders.cancel` is not hers
  });
});
