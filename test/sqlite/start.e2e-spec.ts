import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sqlite3 from 'sqlite3';
import { cli, cliJson, type Env, folder, killAll, logOf, SECRET, spawnService, startProcess } from '../process.js';

const LONG = 60_000;
const DIST = resolve(__dirname, '../../dist/src');
const PRODUCTION = { NODE_ENV: 'production' };

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

/** What a start says that fails. */
async function refused(dir: string, env: Env): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await spawnService(dir, {
    PORT: '0',
    AUTH_SECRET: SECRET,
    DATABASE_URL: 'sqlite:auth.sqlite',
    ...env,
  }).ended;
  return { code, stdout, stderr };
}

const oneLine = (line: string) => ({ code: 1, stdout: '', stderr: `nest-auth did not start: ${line}\n` });

function exclusively(file: string): Promise<() => void> {
  return new Promise((done, fail) => {
    const database = new sqlite3.Database(file);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE', (error) =>
      error ? fail(error) : done(() => database.close()),
    );
  });
}

describe('a start on a database that is of no use', () => {
  const good = home();
  beforeAll(() => cliJson(good.dir, ['database', 'migrate']), LONG);

  const corrupt = (file: string) => {
    copyFileSync(good.file, file);
    const bytes = execFileSync('cat', [file]);
    bytes.fill(0xee, 3 * 4096, 6 * 4096);
    writeFileSync(file, bytes);
  };

  it.each<[string, (dir: string, file: string) => unknown, Env, string]>([
    ['no database', (_, file) => writeFileSync(file, 'x'.repeat(8192)), {}, 'auth.sqlite is no SQLite database'],
    ['a corrupt one', (_, file) => corrupt(file), {}, 'auth.sqlite is corrupt: restore a backup'],
    ['a folder', (_, file) => mkdirSync(file), {}, 'auth.sqlite is no file'],
    [
      'a path below a file',
      (dir) => writeFileSync(join(dir, 'data'), ''),
      { DATABASE_URL: 'sqlite:data/auth.sqlite' },
      'data/auth.sqlite lies below something that is no folder',
    ],
  ])(
    'is refused in one line that names the setting and the file: %s',
    async (_, make, env, problem) => {
      const { dir, file } = home();
      make(dir, file);
      const began = performance.now();
      expect(await refused(dir, env)).toEqual(oneLine(`DATABASE_URL: ${problem}`));
      expect(performance.now() - began).toBeLessThan(10_000); // two or three, on a machine that does nothing else
    },
    LONG,
  );

  it(
    'is refused in one line where the disk is full, or the file may not be written',
    async () => {
      const { dir, file } = home();
      copyFileSync(good.file, file);
      const run = (limit: string) => {
        const env = { PATH: process.env['PATH'], PORT: '0', AUTH_SECRET: SECRET, DATABASE_URL: 'sqlite:auth.sqlite' };
        const command = `${limit} "${process.execPath}" ${join(DIST, 'service/main.js')}`;
        try {
          execFileSync('sh', ['-c', command], { cwd: dir, env, stdio: 'pipe', timeout: 20_000 });
          return 'started';
        } catch (error) {
          return (error as { stderr: Buffer }).stderr.toString();
        }
      };
      // no file may grow: what a full disk looks like
      expect(run('ulimit -f 0; exec')).toBe(
        'nest-auth did not start: DATABASE_URL: auth.sqlite cannot be read or written: the disk fails, or is full\n',
      );
    },
    LONG,
  );

  it(
    'waits a moment for another process that has locked it, and is refused then',
    async () => {
      const { dir, file } = home();
      copyFileSync(good.file, file);
      const release = await exclusively(file);
      expect(await refused(dir, {})).toEqual(oneLine('DATABASE_URL: auth.sqlite is locked by another process'));
      setTimeout(release, 1500);
      const service = await startProcess(dir);
      expect(await service.stop()).toMatchObject({ code: 0 });
    },
    LONG,
  );

  it(
    'blames HOST or PORT where it cannot listen, in one line',
    async () => {
      const taken = createServer();
      await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
      const port = String((taken.address() as { port: number }).port);
      expect(await refused(good.dir, { PORT: port })).toEqual(oneLine(`PORT: ${port} is in use already`));
      await new Promise((done) => taken.close(done));
      const host = '192.0.2.1';
      expect(await refused(good.dir, { HOST: host })).toEqual(oneLine('HOST: 192.0.2.1 is no address of this machine'));
    },
    LONG,
  );

  it(
    'warns of nothing where every limit is off',
    async () => {
      const off = { AUTH_LIMIT_IP: 'off', AUTH_LIMIT_CLIENT: 'off', AUTH_LIMIT_ACCOUNT: 'off' };
      const { stdout } = await (await startProcess(good.dir, off)).stop();
      expect(logOf(stdout).filter(({ level }) => level !== 'info')).toEqual([]);
    },
    LONG,
  );
});

describe('a database that is not there', () => {
  const missing = (file: string, what = 'does not exist') =>
    `DATABASE_URL: ${file} ${what}; \`nest-auth database migrate\` makes it`;

  it.each<[string, Env, string[]]>([
    ['a command', {}, ['clients', 'list']],
    ['a command that writes, in production', PRODUCTION, ['clients', 'create', 'app', '--public']],
    ['a command, and neither is a secret', { AUTH_SECRET: '' }, ['keys', 'list']],
  ])(
    'is never made by %s, but by database migrate, which says so',
    async (_, env, args) => {
      const dir = realpathSync(mkdtempSync(join(tmpdir(), 'auth-process-')));
      homes.push({ ...home(), dir });
      const answer = await cli(dir, args, { env: { ...env, DATABASE_URL: 'sqlite:data/auth.sqlite' } });
      expect(answer).toMatchObject({ code: 1, stdout: '', stderr: `nest-auth: ${missing('data/auth.sqlite')}\n` });
      expect(readdirSync(dir)).toEqual([]);
      const made = await cli(dir, ['database', 'migrate'], { env });
      expect(made).toMatchObject({ code: 0, stdout: `a new database was made: ${dir}/auth.sqlite\n`, stderr: '' });
      expect(await cli(dir, args, { env })).toMatchObject({ code: 0 });
    },
    LONG,
  );

  it(
    'is made by the first start in production, which says so, in a folder that is there and holds no other',
    async () => {
      const { dir } = home();
      const { stdout } = await (await startProcess(dir, PRODUCTION)).stop();
      expect(logOf(stdout)).toContainEqual(
        expect.objectContaining({ level: 'warn', msg: 'a new database was made', file: join(dir, 'auth.sqlite') }),
      );
      const typed: [string, string][] = [
        ['auht.sqlite', 'does not exist, though auth.sqlite lies beside it'],
        ['daat/auth.sqlite', 'does not exist, nor does its folder'],
      ];
      for (const [file, what] of typed) {
        expect(await refused(dir, { ...PRODUCTION, DATABASE_URL: `sqlite:${file}` })).toEqual(
          oneLine(missing(file, what)),
        );
        expect(existsSync(join(dir, file))).toBe(false);
      }
      const again = await (await startProcess(dir, PRODUCTION)).stop();
      expect(again.stdout).not.toContain('a new database');
    },
    LONG,
  );
});
