// The benchmark: the service, as it is built and at its defaults but for limits too high to bite, beside floor.mjs,
// which does only the work that no token endpoint can leave out.
//
//   npm run bench                        builds and measures, in about two minutes
//   npm run bench -- --soak              and sends a million requests, for the memory's sake
//   npm run bench -- --cpu-prof <dir>    and leaves a CPU profile of the service there
//
// Both servers run on one core and the load comes from another; they take turns in short rounds, and every figure is
// the median of the rounds. Trust the ratios: requests per second and latencies depend on the machine's neighbours.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load, median, quantile } from './load.mjs';
import { argon2Alone, cpu, end, memory, pin, startFloor, startService, stopAll } from './processes.mjs';
import { print } from './report.mjs';
import {
  clientCredentials,
  CONNECTIONS,
  everything,
  introspections,
  keySets,
  logins,
  refresh,
  refreshes,
  signIn,
} from './workload.mjs';

const { values: flags } = parseArgs({ options: { soak: { type: 'boolean' }, 'cpu-prof': { type: 'string' } } });

const BURST = 0.8; // seconds of one server's turn
const ROUNDS = 6;
const FLOOD = 48; // logins at once
const CALM = { connections: 4, every: 20 }; // refreshes that come slowly (200 a second), so that their wait is measured
const SOAK = flags.soak ? { requests: 1_000_000, seconds: 1500 } : { requests: 200_000, seconds: 30 };

const directory = mkdtempSync(join(tmpdir(), 'nest-auth-bench-'));
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
process.once('exit', () => {
  stopAll();
  rmSync(directory, { recursive: true, force: true });
});

const notPinned = pin();
const service = await startService(directory, flags['cpu-prof']);
const floor = await startFloor(directory, service);
service.sessions = await sessions('profile');
service.openidSessions = await sessions('openid profile');
floor.sessions = await Promise.all(
  Array.from({ length: CONNECTIONS }, (_, i) => refresh(floor.port, { refresh_token: `session-${i}.0` })),
);

const endpoints = await measureEndpoints();
const [credentials, refreshing, , , introspecting, publishing] = endpoints;
const passwords = await measurePasswords();
const waits = await measureWaits();
const soak = await measureMemory();

print(
  [
    ...endpoints.flatMap(({ name, bare, ours, ratio }) => [
      { name, side: 'floor', ...bare },
      { side: 'service', ...ours, ratio: `${ratio.toFixed(2)} × CPU` },
    ]),
    { name: 'password', side: 'argon2id', ...passwords.alone },
    { side: 'service', ...passwords.ours, ratio: `${passwords.share.toFixed(0)} % of argon2id` },
    { name: 'refresh, 200 a second', side: 'idle', ...waits.idle },
    { side: 'flooded', ...waits.flooded, ratio: `${waits.ratio.toFixed(1)} × p99` },
  ],
  [
    ['client_credentials: CPU per request over the floor', credentials.ratio, '≤', 1.7],
    ['refresh_token: CPU per request over the floor', refreshing.ratio, '≤', 1.25],
    ['introspection: CPU per request over the floor', introspecting.ratio, '≤', 1.6],
    ['key set: CPU per request over the floor', publishing.ratio, '≤', 2],
    ['password: % of what argon2id alone allows', passwords.share, '≥', 90],
    ['refresh: p99 flooded with logins over p99 idle', waits.ratio, '<', 5],
    [`memory: MiB after ${soak.answers.toLocaleString('en')} requests (target: a million)`, soak.rss, '≤', 150],
  ],
);
console.log(`\nMemory at its highest: ${soak.peak.toFixed(0)} MiB.`);
if (notPinned) console.log(`Not pinned: ${notPinned}.`);
if (flags['cpu-prof']) await end(service);
process.exit(0);

/** client_credentials; refreshes: the scope left out or named, one signature or two; introspection, and the key set. */
async function measureEndpoints() {
  const kinds = [
    ['client_credentials', () => clientCredentials(), () => clientCredentials()],
    ['refresh_token', () => refreshes(floor.sessions), () => refreshes(service.sessions)],
    [
      'refresh_token, naming a scope',
      () => refreshes(floor.sessions, 'profile'),
      () => refreshes(service.openidSessions, 'profile'),
    ],
    [
      'refresh_token with id_token',
      () => refreshes(floor.sessions, 'openid profile'),
      () => refreshes(service.openidSessions),
    ],
    ['introspection', () => introspections(floor.sessions), () => introspections(service.sessions)],
    ['key set', () => keySets(), () => keySets()],
  ].map(([name, toFloor, toService]) => ({ name, toFloor, toService, rounds: [] }));
  for (let round = -1; round < ROUNDS; round++) {
    for (const { toFloor, toService, rounds } of kinds) {
      const bare = await burst(floor, toFloor(), BURST);
      const ours = await burst(service, toService(), BURST);
      if (round >= 0) rounds.push({ bare, ours, ratio: ours.cpu / bare.cpu }); // the first round warms up
    }
  }
  return kinds.map(({ name, rounds }) => ({ name, ...middle(rounds) }));
}

/**
 * The password grant beside argon2id alone: the same hash, as many connections as verifications at once. The share is
 * that of their CPU per login: on a core of their own the same as that of their rates, and blind to neighbours.
 */
async function measurePasswords() {
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const alone = await argon2Alone(service, CONNECTIONS, 2);
    const ours = await burst(service, logins(), 2);
    rounds.push({ ours, alone, share: (alone.cpu / ours.cpu) * 100 });
  }
  return middle(rounds);
}

/** How long a refresh waits for its answer, without and with a flood of logins. */
async function measureWaits() {
  const slowly = () =>
    refreshes(service.sessions.slice(0, CALM.connections)).map((lane) => ({ ...lane, every: CALM.every }));
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const idle = await burst(service, slowly(), 3);
    const flood = burst(service, logins(FLOOD), 3.5);
    const flooded = await burst(service, slowly(), 3);
    await flood;
    rounds.push({ idle, flooded: { ...flooded, cpu: undefined }, ratio: flooded.p99 / idle.p99 });
  }
  return middle(rounds);
}

/** What the service holds after that many requests, those before among them. */
async function measureMemory() {
  const requests = SOAK.requests - service.answers;
  const { answers } = await load({
    port: service.port,
    lanes: everything(service.sessions),
    seconds: SOAK.seconds,
    requests,
  });
  return { answers: service.answers + answers, ...memory(service) };
}

function sessions(scope) {
  return Promise.all(Array.from({ length: CONNECTIONS }, () => signIn(service.port, scope)));
}

/** One server's turn: what it answered, and what that cost it. */
async function burst(server, lanes, seconds) {
  const before = cpu(server);
  const { answers, refused, seconds: took, ms } = await load({ port: server.port, lanes, seconds });
  if (refused > 0) throw new Error(`${refused} of ${answers} answers were not 200`);
  server.answers += answers;
  const microseconds = ((cpu(server) - before) / answers) * 1e6;
  return { rps: answers / took, cpu: microseconds, p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) };
}

/** The median of every figure. */
function middle(rounds) {
  const [first] = rounds;
  if (typeof first !== 'object') return first === undefined ? undefined : median(rounds);
  return Object.fromEntries(Object.keys(first).map((name) => [name, middle(rounds.map((each) => each[name]))]));
}
