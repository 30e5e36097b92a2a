import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import sqlite3 from 'sqlite3';
import { cli, cliJson, folder, killAll, SECRET } from '../process.js';

const USERS = 100_000;
const LONG = 240_000;

describe('long lists', () => {
  const home = folder();
  const named = (n: number) => `user${String(n).padStart(6, '0')}`;

  beforeAll(async () => {
    await cliJson(home.dir, ['database', 'migrate']);
    await cliJson(home.dir, ['users', 'create', named(0), '--password-stdin'], 'correct horse');
    await cliJson(home.dir, ['clients', 'create', 'app', '--public']);
    const database = new sqlite3.Database(home.file);
    const run = (sql: string) =>
      new Promise<void>((done, failed) => database.exec(sql, (error) => (error ? failed(error) : done())));
    const numbers = (to: number) =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) INSERT INTO`;
    await run(`${numbers(USERS - 1)} auth_user (id, username, name, groups, disabled, valid_after, created_at, updated_at)
      SELECT 'sub-' || i, printf('user%06d', i), printf('%0200d', i), '[]', 0, 0, 0, 0 FROM n`);
    await run(`${numbers(1200)} auth_session (id, sub, client_id, scope, authenticated_at, created_at, expires_at)
      SELECT printf('session-%05d', i), 'sub-1', 'app', '', 0, i / 7, 9999999999999 FROM n`);
    await new Promise((done) => database.close(done));
  }, LONG);
  afterAll(() => {
    killAll();
    home.remove();
  });

  it(
    'are printed as they are read, in a memory that does not grow with them',
    async () => {
      const env = { NODE_OPTIONS: '--max-old-space-size=80' };
      const { code, stdout, stderr } = await cli(home.dir, ['--json', 'users', 'list'], { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const listed = JSON.parse(stdout) as { username: string }[];
      expect(listed.map(({ username }) => username)).toEqual(Array.from({ length: USERS }, (_, n) => named(n)));
    },
    LONG,
  );

  it(
    'are read in parts, by --limit and --after, as a table and as JSON',
    async () => {
      const part = ['users', 'list', '--limit', '700', '--after', named(41)];
      const [json, table] = await Promise.all([
        cliJson<{ username: string }[]>(home.dir, part),
        cli(home.dir, ['users', 'list', '--limit', '2']),
      ]);
      expect(json.map(({ username }) => username)).toEqual(Array.from({ length: 700 }, (_, n) => named(n + 42)));
      expect(table.stdout).toMatch(/^USERNAME +SUB +STATE\nuser000000 +\S{36} +active\nuser000001 +sub-1 +active\n$/);
      const [none, after] = await Promise.all([
        cliJson(home.dir, ['users', 'list', '--after', 'zoe']),
        cli(home.dir, ['clients', 'list', '--after', 'app']),
      ]);
      expect([none, after.stdout]).toEqual([[], 'none\n']);
      expect(await cli(home.dir, ['users', 'list', '--limit', '0'])).toMatchObject({ code: 1, stdout: '' });
    },
    LONG,
  );

  it(
    'of sessions go on where the last part ended, newest first',
    async () => {
      const list = (...more: string[]) =>
        cliJson<{ id: string; created_at: number }[]>(home.dir, ['sessions', 'list', '--user', named(1), ...more]);
      const all = await list();
      expect(new Set(all.map(({ id }) => id)).size).toBe(1200);
      expect(all.map(({ created_at }) => created_at)).toEqual(all.map((row) => row.created_at).sort((a, b) => b - a));
      expect(await list('--after', all[599]!.id, '--limit', '5')).toEqual(all.slice(600, 605));
      const foreign = await cli(home.dir, ['sessions', 'list', '--user', named(2), '--after', all[0]!.id]);
      expect(foreign).toMatchObject({ code: 1, stderr: `nest-auth: user000002 has no session ${all[0]!.id}\n` });
    },
    LONG,
  );

  it(
    'end quietly where nobody reads on',
    async () => {
      const program = spawn(process.execPath, [resolve(__dirname, '../../dist/src/cli/main.js'), 'users', 'list'], {
        cwd: home.dir,
        env: { PATH: process.env['PATH'], AUTH_SECRET: SECRET, DATABASE_URL: 'sqlite:auth.sqlite' },
      });
      let errors = '';
      program.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      await once(program.stdout, 'data');
      program.stdout.destroy();
      expect(await once(program, 'exit')).toEqual([0, null]);
      expect(errors).toBe('');
    },
    LONG,
  );
});
