// What a crowd costs: the service on a database of millions of users and sessions, most of them expired, beside the
// service on one of a few thousand that live, in the same run.
//
//   npm run grow                                          in SQLite files of a temporary folder
//   npm run grow -- --database postgres://…               in two databases of their own on that server, dropped at the end
//   npm run grow -- --sessions 1000000 --users 500000     with fewer
//
// Both services answer for the same number of users and sessions, picked all over the tables, so that neither finds more
// of them in a cache than the other. Each kind of request has processes of its own: they end before they begin to clean
// up, which they do for the first time after a minute. That is what the last part waits for.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ServiceSecret } from '../dist/src/base/crypto/service-secret.js';
import { RefreshTokens } from '../dist/src/core/sessions/refresh-token.js';
import { fill, sessionId, username } from './crowd.mjs';
import { newDatabase } from './crowd-database.mjs';
import { introspections, logins, refreshes } from './crowd-workload.mjs';
import { load, median, quantile } from './load.mjs';
import { cpu, end, pin, prepareDatabase, SECRET, serve, stopAll } from './processes.mjs';
import { aligned, print } from './report.mjs';
import { clientCredentials, CONNECTIONS } from './workload.mjs';

const { values: flags } = parseArgs({
  options: {
    database: { type: 'string' },
    sessions: { type: 'string', default: '10000000' },
    users: { type: 'string', default: '5000000' },
  },
});

const ASKED = 10_000; // users and sessions that requests are about
const EXPIRED = 0.8; // of the crowd's sessions
const ROUNDS = 6;
const BURST = 0.8; // seconds of one service's turn
const LOGINS = 2; // the same of logins, of which a second sees few
const SWEEP = 60; // seconds after its start at which a service cleans up for the first time
const CALM = { connections: 4, every: 20, seconds: 20 }; // refreshes that come slowly, beside the cleaning

const crowd = { users: Number(flags.users), sessions: Number(flags.sessions) };
crowd.expired = Math.round(crowd.sessions * EXPIRED);
if (crowd.sessions - crowd.expired < ASKED || crowd.users < ASKED) {
  throw new Error(`--users wants ${ASKED}, --sessions ${ASKED / (1 - EXPIRED)} at least`);
}

const directory = mkdtempSync(join(tmpdir(), 'nest-auth-grow-'));
const databases = [];
process.once('SIGINT', () => leave(130)).once('SIGTERM', () => leave(143));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

const tokens = new RefreshTokens(new ServiceSecret({ secret: SECRET }));
const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)}  ${text}`);

let met = false;
try {
  met = await measure();
} catch (error) {
  console.error(error);
}
await leave(met ? 0 : 1);

async function measure() {
  const notPinned = pin();
  const few = await filled('few', { users: ASKED, sessions: ASKED, expired: 0 });
  const many = await filled('many', crowd);
  const sizes = await many.database.sizes();
  const kinds = [
    ['client_credentials', BURST, () => clientCredentials()],
    ['refresh_token', BURST, refreshes],
    ['introspection', BURST, introspections],
    ['password', LOGINS, logins],
  ];
  const results = [];
  for (const [name, seconds, lanes] of kinds) {
    say(name);
    results.push({ name, ...(await compare(few, many, seconds, lanes)) });
  }
  const log = many.database.written && (await logOfRefresh(many));
  const cleaning = await clean(many);

  console.log(
    `\n${count(crowd.users)} users, ${count(crowd.sessions)} sessions, ${count(crowd.expired)} of them expired`,
  );
  console.log(`beside ${count(ASKED)} users with a session each; ${few.database.kind}, ${CONNECTIONS} connections.\n`);
  console.log(aligned([['table or index', 'MB', 'bytes a row'], ...sizes.map(sizeRow)], 1));
  const isMet = print(
    [
      ...results.flatMap(({ name, small, large, cpuRatio, p99Ratio }) => [
        { name, side: 'few', ...small },
        ...(small.server > 0 ? [{ side: '  its server', cpu: small.server }] : []),
        { side: 'many', ...large, ratio: `${cpuRatio.toFixed(2)} × CPU, ${p99Ratio.toFixed(2)} × p99` },
        ...(large.server > 0 ? [{ side: '  its server', cpu: large.server }] : []),
      ]),
      { name: 'refresh, 200 a second', side: 'at rest', ...cleaning.before },
      { side: 'cleaning', ...cleaning.during },
    ],
    [
      ...results.flatMap(({ name, cpuRatio, p99Ratio }) => [
        [`${name}: CPU per request, many over few`, cpuRatio, '≤', 2],
        [`${name}: p99, many over few`, p99Ratio, '≤', 2],
      ]),
      ['clean-up: sessions removed a second', cleaning.rate, '≥', 1000],
    ],
  );
  if (log) console.log(`\nLog that the server writes for one refresh: ${log.toFixed(0)} bytes.`);
  if (notPinned) console.log(`Not pinned: ${notPinned}.`);
  return isMet;
}

/** A database with a crowd in it, and whom of it the requests are about. */
async function filled(name, of) {
  const database = await newDatabase(name, directory, flags.database);
  databases.push(database);
  prepareDatabase(database.url);
  const began = performance.now();
  await fill(database, of);
  say(
    `${count(of.sessions)} sessions of ${count(of.users)} users in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  const pick = (from, to, i) => from + 1 + Math.floor(((i * 0.6180339887) % 1) * (to - from));
  const picked = (from, to) => [...new Set(Array.from({ length: ASKED }, (_, i) => pick(from, to, i)))];
  return {
    database,
    users: picked(0, of.users).map(username),
    sessions: picked(of.expired, of.sessions).map((n) => ({
      refresh_token: tokens.derive({ sessionId: sessionId(n), generation: 1 }),
    })),
  };
}

/** Turns of the two services, each new for this kind of request. */
async function compare(few, many, seconds, lanes) {
  const [small, large] = await Promise.all([few, many].map(begin));
  const rounds = [];
  for (const side of [small, large]) await warmUp(side, lanes);
  for (let round = 0; round < ROUNDS; round++) {
    const a = await burst(small, lanes(small), seconds);
    const b = await burst(large, lanes(large), seconds);
    rounds.push({ small: a, large: b, cpuRatio: total(b) / total(a), p99Ratio: b.p99 / a.p99 });
  }
  await Promise.all([small, large].map(end));
  return middle(rounds);
}

async function begin(side) {
  return { ...side, ...(await serve(side.database.url, join(directory, 'service.log'))) };
}

/** Code and connections, and everybody asked for once where a token of theirs is needed. */
async function warmUp(side, lanes) {
  if (lanes === introspections) {
    await load({ port: side.port, lanes: refreshes(side), seconds: 60, requests: side.sessions.length });
  }
  await burst(side, lanes(side), 1);
}

/** @returns bytes of log that a refresh leaves, of those of everybody on that server */
async function logOfRefresh(side) {
  const running = await begin(side);
  await burst(running, refreshes(running), 2);
  await side.database.all('CHECKPOINT');
  await burst(running, refreshes(running), 8); // most pages have been written whole since the checkpoint
  const before = await side.database.written();
  const { answers } = await burst(running, refreshes(running), 4);
  const bytes = (await side.database.written()) - before;
  await end(running);
  return bytes / answers;
}

/** What a refresh waits for before and during a clean-up, and how fast that is. */
async function clean(side) {
  const running = await begin(side);
  const began = performance.now();
  const slowly = () => refreshes(running, CALM.connections).map((lane) => ({ ...lane, every: CALM.every }));
  await burst(running, slowly(), 5);
  const before = await burst(running, slowly(), CALM.seconds);
  say('clean-up');
  await sleep(SWEEP * 1000 + 3000 - (performance.now() - began));
  const [from, started] = [await expired(side.database), performance.now()];
  const during = await burst(running, slowly(), CALM.seconds);
  const seconds = (performance.now() - started) / 1000;
  const removed = from - (await expired(side.database));
  await end(running);
  return { before, during, rate: removed / seconds };
}

async function expired({ all }) {
  const [{ n }] = await all(`SELECT count(*) AS n FROM auth_session WHERE expires_at <= ${Date.now()}`);
  return Number(n);
}

/** One service's turn: what it answered, and what that cost it, and the server of its database. */
async function burst(side, lanes, seconds) {
  const [before, server] = [cpu(side), await side.database.cpu()];
  const { answers, refused, seconds: took, ms } = await load({ port: side.port, lanes, seconds });
  if (refused > 0) throw new Error(`${refused} of ${answers} answers were not 200`);
  const spent = cpu(side) - before;
  let served = 0;
  for (const [pid, until] of await side.database.cpu()) served += until - (server.get(pid) ?? 0);
  return {
    answers,
    rps: answers / took,
    cpu: (spent / answers) * 1e6,
    server: (served / answers) * 1e6,
    p50: quantile(ms, 0.5),
    p99: quantile(ms, 0.99),
  };
}

/** Microseconds of a request, the database's server included where its processes can be seen. */
function total({ cpu, server }) {
  return cpu + (server || 0);
}

/** The median of every figure. */
function middle(rounds) {
  const [first] = rounds;
  if (typeof first !== 'object') return median(rounds);
  return Object.fromEntries(Object.keys(first).map((name) => [name, middle(rounds.map((each) => each[name]))]));
}

function sizeRow({ name, bytes }) {
  const rows = /auth_user/.test(name) ? crowd.users : crowd.sessions;
  return [name, (bytes / 1e6).toFixed(0), (bytes / rows).toFixed(0)];
}

function count(n) {
  return n.toLocaleString('en');
}

async function leave(code) {
  stopAll();
  for (const database of databases.splice(0)) await database.drop().catch((error) => console.error(error.message));
  process.exit(code);
}
