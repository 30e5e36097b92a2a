import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { databaseOfFolder } from './databases.js';

const DIST = resolve(__dirname, '../dist/src');

export const SECRET = 'a-service-secret-for-tests-0123456789';

export type Env = Record<string, string>;

/** How a process ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A service that runs, or tries to. */
export interface RunningService {
  pid: number;
  /** Where it listens, on the loopback; '' before it does. */
  url: string;
  stdout(): string;
  stderr(): string;
  /** Sends a signal; `ended` tells how the process took it. */
  signal(name: NodeJS.Signals): void;
  ended: Promise<Ending>;
  /** SIGTERM and the ending. */
  stop(): Promise<Ending>;
}

/** Lets `signal('SIGUSR2')` set the clock of a service back by an hour. */
export const SETTABLE_CLOCK: Env = { NODE_OPTIONS: `--require=${resolve(__dirname, 'clock-setter.cjs')}` };

const living = new Set<ChildProcess>();
process.once('exit', () => killAll());

/** No process outlives the test file that started it. */
export function killAll(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** A folder of its own for a service: the database, and the secret where none is set. */
export function folder(): { dir: string; file: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'auth-process-'));
  return { dir, file: join(dir, 'auth.sqlite'), remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Starts the built service; it need not come up. Nothing of this process's environment gets through but PATH. */
export function spawnService(dir: string, env: Env): RunningService {
  return service(run('service/main.js', [], dir, env));
}

/** `npm start` without the build before it; what is signalled is npm. */
export function npmStart(env: Env): RunningService {
  return service(start('npm', ['start', '--ignore-scripts'], resolve(DIST, '../..'), env));
}

/** A port that nobody listens at, as far as can be known beforehand, for a service whose output says nothing. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts the built service with standard output going there; resolves when it is ready. */
export async function startLoggingTo(stdout: number | 'pipe', dir: string, env: Env = {}): Promise<Unheard> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(DIST, 'service/main.js')], {
    cwd: dir,
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      AUTH_SECRET: SECRET,
      DATABASE_URL: await databaseOfFolder(dir),
      ...env,
    },
    stdio: ['ignore', stdout, 'ignore'],
  });
  living.add(child);
  void once(child, 'exit').then(() => living.delete(child));
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/ready`).catch(() => undefined))?.ok) await pause(50);
  return { url, child };
}

export interface Unheard {
  url: string;
  child: ChildProcess;
}

function service(child: ReturnType<typeof start>): RunningService {
  const service: RunningService = {
    pid: child.process.pid!,
    url: '',
    stdout: child.stdout,
    stderr: child.stderr,
    signal: (name) => void child.process.kill(name),
    ended: child.ended,
    stop: () => {
      child.process.kill('SIGTERM');
      return child.ended;
    },
  };
  return service;
}

/** Starts the built service on a free port and waits until it listens. */
export async function startProcess(dir: string, env: Env = {}): Promise<RunningService> {
  const service = spawnService(dir, {
    PORT: '0',
    AUTH_SECRET: SECRET,
    DATABASE_URL: await databaseOfFolder(dir),
    ...env,
  });
  await listening(service);
  return service;
}

/** @throws Error with what it said, where it ended instead, or said nothing (LOG_LEVEL above info) */
export async function listening(service: RunningService): Promise<void> {
  const deadline = Date.now() + 60_000;
  let over: Ending | undefined;
  void service.ended.then((ending) => (over = ending));
  while (!over && Date.now() < deadline) {
    const line = service
      .stdout()
      .split('\n')
      .find((text) => text.includes('"msg":"listening"'));
    if (line !== undefined) {
      service.url = (JSON.parse(line) as { url: string }).url.replace('//0.0.0.0:', '//127.0.0.1:');
      return;
    }
    await pause(5);
  }
  service.signal('SIGKILL');
  const { code, signal, stdout, stderr } = await service.ended;
  throw new Error(`the service did not come up (${code ?? signal}): ${stderr}${stdout}`);
}

/** Runs a command of the built nest-auth beside whatever runs in that folder. */
export async function cli(dir: string, args: string[], { env = {}, input = '' }: { env?: Env; input?: string } = {}) {
  const child = run('cli/main.js', args, dir, {
    AUTH_SECRET: SECRET,
    DATABASE_URL: await databaseOfFolder(dir),
    ...env,
  });
  child.process.stdin.end(input);
  return child.ended;
}

/** Runs a command with --json that must succeed. */
export async function cliJson<T = Record<string, unknown>>(dir: string, args: string[], input?: string): Promise<T> {
  const { code, stdout, stderr } = await cli(dir, ['--json', ...args], { input });
  if (code !== 0) throw new Error(`nest-auth ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** POST /auth/v1/token; rejects where the connection is refused or dropped. */
export async function token(url: string, body: object, headers: Env = {}): Promise<Answer> {
  const response = await fetch(`${url}/auth/v1/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

/** The log: every line of standard output that is an object. */
export function logOf(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function run(script: string, args: string[], cwd: string, env: Env) {
  return start(process.execPath, [join(DIST, script), ...args], cwd, env);
}

function start(command: string, args: string[], cwd: string, env: Env) {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'pipe',
  });
  living.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined); // it may end without having read its input
  const ended = new Promise<Ending>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      living.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended };
}
