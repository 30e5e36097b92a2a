import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { drop } from './database-server.cjs';
import { freePort, token } from './process.js';

const ROOT = resolve(__dirname, '..');
const { TEST_POSTGRES_URL: POSTGRES, TEST_REDIS_URL: REDIS } = process.env;

function isInstalled(command: string): boolean {
  try {
    return execFileSync('sh', ['-c', `command -v ${command}`]).length > 0;
  } catch {
    return false;
  }
}
const MISSING = [
  ...(POSTGRES === undefined ? ['TEST_POSTGRES_URL'] : []),
  ...(REDIS === undefined ? ['TEST_REDIS_URL'] : []),
  ...['psql', 'nginx', 'openssl', 'curl'].filter((command) => !isInstalled(command)),
];

/** The commands of a section of the README, block by block. */
function commandsBelow(heading: string): string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf(`\n### ${heading}\n`)).split(/\n###? /)[1]!;
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1]!);
}

const skipped = MISSING.length > 0 ? ` (skipped: there is no ${MISSING.join(', ')})` : '';

(MISSING.length > 0 ? describe.skip : describe)(`the README's way from one file to many nodes${skipped}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'auth-nodes-'));
  const database = `auth_test_readme_${process.pid}`;
  let group: number | undefined;

  afterAll(async () => {
    // nginx has made itself a daemon
    execFileSync('sh', ['-c', `kill "$(cat ${dir}/nginx.pid)" || true`], { stdio: 'ignore' });
    if (group !== undefined) process.kill(-group, 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await drop(new URL(POSTGRES!), database);
    rmSync(dir, { recursive: true, force: true });
  });

  it('is lines to paste, and the last of them gets tokens that any node refreshes', async () => {
    // as they are, but for ports and a database that are nobody else's
    const ports = { 3001: await freePort(), 3002: await freePort(), 8080: await freePort() };
    const own = (text: string) =>
      text
        .replaceAll('postgres://postgres@127.0.0.1:5432/postgres', POSTGRES!)
        .replaceAll('postgres://postgres@127.0.0.1:5432/auth', new URL(`/${database}`, POSTGRES).href)
        .replaceAll('CREATE DATABASE auth', `CREATE DATABASE ${database}`)
        .replaceAll('redis://127.0.0.1:6379', `${REDIS}?keyPrefix=${database}:`)
        .replace(/\b(3001|3002|8080)\b/g, (port) => String(ports[Number(port) as keyof typeof ports]));
    mkdirSync(join(dir, 'deploy'));
    writeFileSync(join(dir, 'deploy/nginx.conf'), own(readFileSync(join(ROOT, 'deploy/nginx.conf'), 'utf8')));
    cpSync(join(ROOT, 'package.json'), join(dir, 'package.json'));
    for (const name of ['dist', 'node_modules']) symlinkSync(join(ROOT, name), join(dir, name));

    const [prepare, start, ask, ...more] = commandsBelow('From one file to many nodes').map(own);
    expect(more).toEqual([]);
    const shell = spawn('bash', ['-ec', `${prepare}${start}${ask}wait`], {
      cwd: dir,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of processes, to end as one
    });
    group = shell.pid;
    let heard = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (heard += text));
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (heard += text));
    for (let i = 0; i < 600 && !heard.includes('"access_token"'); i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const answer = heard.split('\n').find((line) => line.includes('"access_token"'));
    expect([answer !== undefined, heard]).toEqual([true, heard]);

    let { refresh_token } = JSON.parse(answer!) as { refresh_token: string };
    for (const port of [ports[8080], ports[3001], ports[3002], ports[8080]]) {
      const refreshed = await token(`http://127.0.0.1:${port}`, {
        client_id: 'web',
        grant_type: 'refresh_token',
        refresh_token,
      });
      expect(refreshed.status).toBe(200);
      refresh_token = refreshed.body['refresh_token'] as string;
    }
    const ready = await fetch(`http://127.0.0.1:${ports[8080]}/health/ready`);
    expect(await ready.json()).toMatchObject({ status: 'ok', info: { limits: { shared: true } } });
  }, 120_000);
});
