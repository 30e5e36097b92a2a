import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import request from 'supertest';
import { install, type Installation, listening } from './host/installation.js';
import { SECRET } from './process.js';

const ROOT = resolve(__dirname, '..');
const run = promisify(execFile);

/** What `nest new` of Nest 12 sets up, with what npm takes for our peers: TypeORM 1, which knows better-sqlite3 alone. */
const PACKAGES = [
  ...['common', 'core', 'platform-express', 'testing'].map((name) => `@nestjs/${name}@12`),
  ...['better-sqlite3@12', 'typeorm@1', 'vitest@4', 'esbuild', 'webpack@5', '@rspack/core@1'],
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
  let embedded: string;

  beforeAll(async () => {
    installation = await install(PACKAGES);
    root = resolve(installation.package, '../..');
    embedded = join(root, 'embedded');
    cpSync(join(ROOT, 'examples/embedded'), embedded, { recursive: true });
    await run('node', [join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd: embedded });
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
    await serves(embedded, 'dist/main.js');
  });

  it.each(['esbuild', 'webpack', 'rspack'])('is put into a bundle by %s, with the pages', async (bundler) => {
    const dir = join(root, '..', `${basename(root)}-${bundler}`);
    await run('node', [join(__dirname, 'host/bundle.mjs'), bundler, join(embedded, 'dist/main.js'), dir], {
      cwd: root,
    });
    mkdirSync(join(dir, 'node_modules'));
    for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path', '@node-rs']) {
      symlinkSync(join(root, 'node_modules', name), join(dir, 'node_modules', name));
    }
    await serves(dir, 'main.mjs');
    rmSync(dir, { recursive: true });
  });

  async function serves(dir: string, main: string): Promise<void> {
    const own = { PORT: '0', AUTH_ISSUER: 'http://localhost', AUTH_SECRET: SECRET, ADA_PASSWORD: 'correct horse' };
    const child = spawn('node', [main], { cwd: dir, env: { PATH: process.env['PATH'], ...own } });
    const url = await listening(child);
    const { status } = await request(url)
      .post('/auth/v1/token')
      .send({ client_id: 'web', grant_type: 'password', username: 'ada', password: 'correct horse' });
    expect(status).toBe(200);
    expect((await request(url).get('/device')).text).toContain('<title>');
    child.kill('SIGTERM');
    await once(child, 'close');
  }
});
