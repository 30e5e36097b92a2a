// Starts the servers on one core, reads what they cost, and ends them.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { CERTS, client, user } from './workload.mjs';

const HERE = import.meta.dirname;
const DIST = join(HERE, '..', 'dist', 'src');
const SERVER_CORE = '0';
const LOAD_CORE = '1';
export const SECRET = 'a secret that only this benchmark uses';
const NO_LIMIT = '999999999/60'; // budgets are counted, and never spent
const running = [];
let onServerCore = [process.execPath];

/** Moves this process to the load's core. @returns undefined, or why nothing is pinned */
export function pin() {
  if (availableParallelism() < 2) return 'there is one core only, so servers and load share it';
  try {
    execFileSync('taskset', ['-a', '-c', '-p', LOAD_CORE, String(process.pid)], { stdio: 'pipe' });
    onServerCore = ['taskset', '-c', SERVER_CORE, process.execPath];
  } catch {
    return 'taskset does not work here, so servers and load wander over all cores';
  }
}

/** The built service on an empty database, with one client and one user. */
export async function startService(directory, database, options) {
  prepareDatabase(database.service);
  return serve(database.service, join(directory, 'service.log'), options);
}

/** An empty database gets its tables, one client and one user. */
export function prepareDatabase(url) {
  const env = environment(url);
  const cli = (args, input) => execFileSync(process.execPath, [join(DIST, 'cli', 'main.js'), ...args], { env, input });
  cli(['database', 'migrate']);
  const grants = ['--grants', 'password,refresh_token,client_credentials'];
  cli(['clients', 'create', client.client_id, ...grants, '--secret-stdin'], client.client_secret);
  cli(['users', 'create', user.username, '--password-stdin'], user.password);
}

/**
 * The built service on a database that is prepared.
 * @param profiles directory for a CPU profile
 * @param env more of its settings
 */
export async function serve(url, log, { profiles, env: settings } = {}) {
  const port = await freePort();
  const env = { ...environment(url), PORT: String(port), ...settings };
  const profiling = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];
  const child = start([...profiling, join(DIST, 'service', 'main.js')], { env, log });
  await listening(port, child);
  return { child, port, answers: 0 };
}

function environment(url) {
  return {
    ...process.env,
    DATABASE_URL: url,
    AUTH_SECRET: SECRET,
    AUTH_LIMIT_IP: NO_LIMIT,
    AUTH_LIMIT_CLIENT: NO_LIMIT,
    AUTH_LIMIT_ACCOUNT: NO_LIMIT,
    NODE_ENV: 'production',
  };
}

/** @param service whose key set the floor writes, too */
export async function startFloor(directory, database, service) {
  const port = await freePort();
  const certs = await fetch(`http://127.0.0.1:${service.port}${CERTS}`).then((answer) => answer.text());
  const args = [join(HERE, 'floor.mjs'), String(port), database.floor, client.client_secret, certs];
  const child = start(args, { log: join(directory, 'floor.log') });
  await listening(port, child);
  return { child, port, answers: 0 };
}

/** How often a second argon2id alone verifies the user's password, and at what CPU. */
export async function argon2Alone(database, parallel, seconds) {
  const [{ password_hash: hash }] = await database.rows('SELECT password_hash FROM auth_user');
  const child = start([join(HERE, 'argon2.mjs'), String(parallel), String(seconds), hash, user.password]);
  return JSON.parse(await text(child.stdout));
}

/** CPU seconds that a server has used: user and system, all of its threads, and its workers, if it has any. */
export function cpu({ child }) {
  const nanoseconds = (pid) => {
    const own = readdirSync(`/proc/${pid}/task`).map((thread) => {
      const of = (name) => readFileSync(`/proc/${pid}/task/${thread}/${name}`, 'utf8');
      const workers = of('children').split(' ').filter(Boolean).map(nanoseconds);
      return Number(of('schedstat').split(' ')[0]) + workers.reduce((sum, each) => sum + each, 0);
    });
    return own.reduce((sum, each) => sum + each, 0);
  };
  return nanoseconds(child.pid) / 1e9;
}

/** A server's resident memory in MiB: now, and at its highest. */
export function memory({ child }) {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const mib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) / 1024;
  return { rss: mib('VmRSS'), peak: mib('VmHWM') };
}

/** Ends a server as an operator would, so that it can write its profile. */
export async function end({ child }) {
  child.kill('SIGTERM');
  await Promise.race([once(child, 'exit'), sleep(10_000)]);
}

/** Ends every process that was started here. */
export function stopAll() {
  for (const child of running) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

/** Starts `node <args>` on the servers' core; its output goes to the log, or comes here. */
function start(args, { env = process.env, log } = {}) {
  const [command, ...before] = onServerCore;
  const output = log === undefined ? 'pipe' : openSync(log, 'a');
  const child = spawn(command, [...before, ...args], { env, stdio: ['ignore', output, 'inherit'] });
  running.push(child);
  return child;
}

async function listening(port, child) {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`a server ended with exit code ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer) return answer.arrayBuffer();
    await sleep(100);
  }
  throw new Error('a server did not start in half a minute');
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
