import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import request from 'supertest';
import { install, type Installation, listening } from './host/installation.js';
import { SECRET } from './process.js';

const ROOT = resolve(__dirname, '..');
const run = promisify(execFile);

/** What `nest new` of Nest 12 sets up, with what npm takes for our peers: TypeORM 1, which knows better-sqlite3 alone. */
const PACKAGES = [
  ...['common', 'core', 'platform-express', 'testing'].map((name) => `@nestjs/${name}@12`),
  ...['better-sqlite3@12', 'typeorm@1', 'vitest@4'],
];

/** As `nest new` makes it, without its plugin for aliases. */
const VITEST_CONFIG = `
import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { globals: true, root: './', include: ['**/*.spec.ts'] } });
`;

jest.setTimeout(300_000); // npm installs

const isBuilt = Boolean(process.env['TEST_BETTER_SQLITE3']);
const skipped = isBuilt ? '' : ' (skipped: TEST_BETTER_SQLITE3 names no folder of a package that is built)';

(isBuilt ? describe : describe.skip)(`a new application of Nest 12, by npm${skipped}`, () => {
  let installation: Installation;
  let root: string;

  beforeAll(async () => {
    installation = await install(PACKAGES);
    root = resolve(installation.package, '../..');
    cpSync(join(ROOT, 'examples/embedded'), join(root, 'embedded'), { recursive: true });
  });
  afterAll(() => installation?.remove());

  it("runs a host's tests by vitest, which it is set up with, without a recipe", async () => {
    const dir = join(root, 'tests');
    cpSync(join(ROOT, 'examples/embedded/tsconfig.json'), join(dir, 'tsconfig.json'));
    cpSync(join(__dirname, 'host/orders.spec.ts'), join(dir, 'src/orders.spec.ts'));
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'host', private: true, type: 'module' }));
    writeFileSync(join(dir, 'vitest.config.ts'), VITEST_CONFIG);
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const { stdout } = await run('node', [vitest, 'run'], { cwd: dir, env: { ...process.env, NO_COLOR: '1' } });
    expect(stdout).toContain('Tests  1 passed (1)');
  });

  it('is the example, and gives tokens out of a file of better-sqlite3', async () => {
    const dir = join(root, 'embedded');
    await run('node', [join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd: dir });
    const own = { PORT: '0', AUTH_ISSUER: 'http://localhost', AUTH_SECRET: SECRET, ADA_PASSWORD: 'correct horse' };
    const child = spawn('node', ['dist/main.js'], { cwd: dir, env: { PATH: process.env['PATH'], ...own } });
    const { status } = await request(await listening(child))
      .post('/auth/v1/token')
      .send({ client_id: 'web', grant_type: 'password', username: 'ada', password: 'correct horse' });
    expect(status).toBe(200);
    child.kill('SIGTERM');
    await once(child, 'close');
  });
});
