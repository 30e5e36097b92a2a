// A node: a process of the built service that is started again whenever it ends. And the command of an operator.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const DIST = join(import.meta.dirname, '..', '..', 'dist', 'src');
const SECRET = 'a secret that only this chaos uses';

/** Seconds within which a refresh may be repeated; enough for the slowest restart. */
export const WINDOW = 60;

export class ServiceNode {
  /** Where it listens; undefined while it does not. */
  port;
  /** Told when it ends by itself although it served. */
  crashed = () => undefined;

  constructor({ name, databaseUrl, offset, log }) {
    this.name = name;
    this.log = createWriteStream(log, { flags: 'a' });
    this.env = {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      NODE_OPTIONS: `--require="${join(import.meta.dirname, 'clock-offset.cjs')}"`,
      CHAOS_CLOCK_OFFSET: String(offset),
      PORT: '0',
      DATABASE_URL: databaseUrl,
      AUTH_SECRET: SECRET,
      AUTH_ISSUER: 'http://127.0.0.1:3000',
      AUTH_REFRESH_RETRY_WINDOW: String(WINDOW),
      AUTH_LIMIT_IP: 'off',
      AUTH_LIMIT_CLIENT: 'off',
      AUTH_LIMIT_ACCOUNT: 'off',
    };
  }

  start() {
    this.child = spawn(process.execPath, [join(DIST, 'service', 'main.js')], { env: this.env, stdio: 'pipe' });
    this.child.stderr.pipe(this.log, { end: false });
    this.child.stdout.setEncoding('utf8').on('data', (lines) => {
      this.log.write(lines);
      this.port ??= Number(/"url":"http:[^"]*:(\d+)".*"msg":"listening"/.exec(lines)?.[1]) || undefined;
    });
    this.child.once('exit', () => this.ended());
  }

  /** Waits until it listens. @throws Error where it does not in a minute */
  async up() {
    for (let waited = 0; this.port === undefined; waited += 20) {
      if (waited > 60_000) throw new Error(`${this.name} does not start`);
      await sleep(20);
    }
  }

  kill() {
    this.expected = true;
    this.child.kill('SIGKILL');
  }

  async stop() {
    this.over = true;
    this.expected = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await once(this.child, 'exit');
    clearTimeout(late);
  }

  ended() {
    if (this.port !== undefined && !this.expected) this.crashed();
    this.port = undefined;
    this.expected = false;
    if (!this.over) setTimeout(() => this.over || this.start(), 200); // where the database is away, it may not come up
  }
}

/**
 * Runs a command of nest-auth.
 * @param killAfter milliseconds; left out: it may end by itself
 * @returns its exit code, null where it was killed, and what it said of a failure
 */
export async function command(databaseUrl, args, { input = '', killAfter } = {}) {
  const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, AUTH_SECRET: SECRET };
  const child = spawn(process.execPath, [join(DIST, 'cli', 'main.js'), ...args], { env, stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end(input); // it may end before it has read that
  child.stdout.resume();
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  clearTimeout(timer);
  return { code, stderr };
}
