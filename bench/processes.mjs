// Starts the servers on one core, reads what they cost, and ends them.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import sqlite3 from 'sqlite3';
import { CERTS, client, user } from './workload.mjs';

const HERE = import.meta.dirname;
const DIST = join(HERE, '..', 'dist', 'src');
const SERVER_CORE = '0';
const LOAD_CORE = '1';
const NO_LIMIT = '999999999/60'; // budgets are counted, and never spent
const TICKS = 100; // a second, in /proc/<pid>/stat
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

/** The built service on a new database, with one client and one user. */
export async function startService(directory, profiles) {
  const port = await freePort();
  const database = join(directory, 'service.sqlite');
  const env = {
    ...process.env,
    PORT: String(port),
    DATABASE_URL: `sqlite:${database}`,
    AUTH_SECRET: 'a secret that only this benchmark uses',
    AUTH_LIMIT_IP: NO_LIMIT,
    AUTH_LIMIT_CLIENT: NO_LIMIT,
    AUTH_LIMIT_ACCOUNT: NO_LIMIT,
    NODE_ENV: 'production',
  };
  const cli = (args, input) => execFileSync(process.execPath, [join(DIST, 'cli', 'main.js'), ...args], { env, input });
  cli(['database', 'migrate']);
  const grants = ['--grants', 'password,refresh_token,client_credentials'];
  cli(['clients', 'create', client.client_id, ...grants, '--secret-stdin'], client.client_secret);
  cli(['users', 'create', user.username, '--password-stdin'], user.password);
  const profiling = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];
  const child = start([...profiling, join(DIST, 'service', 'main.js')], { env, log: join(directory, 'service.log') });
  await listening(port, child);
  return { child, port, database, answers: 0 };
}

/** @param service whose key set the floor writes, too */
export async function startFloor(directory, service) {
  const port = await freePort();
  const certs = await fetch(`http://127.0.0.1:${service.port}${CERTS}`).then((answer) => answer.text());
  const args = [join(HERE, 'floor.mjs'), String(port), join(directory, 'floor.sqlite'), client.client_secret, certs];
  const child = start(args, { log: join(directory, 'floor.log') });
  await listening(port, child);
  return { child, port, answers: 0 };
}

/** How often a second argon2id alone verifies the user's password, and at what CPU. */
export async function argon2Alone({ database }, parallel, seconds) {
  const hash = await passwordHash(database);
  const child = start([join(HERE, 'argon2.mjs'), String(parallel), String(seconds), hash, user.password]);
  return JSON.parse(await text(child.stdout));
}

/** CPU seconds that a server has used: user and system, all of its threads. */
export function cpu({ child }) {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
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
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`a server ended with exit code ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer) return answer.arrayBuffer();
    await sleep(100);
  }
  throw new Error('a server did not start in ten seconds');
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function passwordHash(file) {
  const database = new sqlite3.Database(file, sqlite3.OPEN_READONLY);
  return new Promise((resolve, reject) => {
    database.get('SELECT password_hash FROM auth_user', (error, row) =>
      error ? reject(error) : resolve(row.password_hash),
    );
    database.close();
  });
}
