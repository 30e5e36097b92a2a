// Chaos: nodes of the built service on one database, clients that use them, and everything going wrong at once. Nodes
// are killed (SIGKILL) and start again, the database goes away and comes back, answers are lost after the request was
// done, the nodes' clocks differ, an operator ends what is going on, thieves present old tokens. All of it goes into a
// history, and checker.mjs holds that against its model of a session.
//
//   npm run chaos                                    two nodes on a new SQLite file, for a minute
//   npm run chaos -- --seconds 300 --nodes 3 --seed 7
//   npm run chaos -- --database postgres://…         a database that is there, and nobody else's; as in DATABASE_URL
//   npm run chaos -- --history <file>                keeps the history there, one event a line
//
// The seed repeats what is tried, not what the machine's scheduler makes of it. Exits with 1 where a rule was broken.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { check } from './checker.mjs';
import { HonestClient, REGISTRATION } from './client.mjs';
import { openDatabase } from './database.mjs';
import { dice } from './dice.mjs';
import { Front } from './front.mjs';
import { command, ServiceNode, WINDOW } from './node.mjs';
import { Operator } from './operator.mjs';
import { count, printCounts, printViolation } from './report.mjs';
import { Wire } from './wire.mjs';

const { values: flags } = parseArgs({
  options: {
    database: { type: 'string' },
    nodes: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    history: { type: 'string' },
  },
});
const SKEW = 3000; // milliseconds by which a node's clock may be off, either way
const PEOPLE = 5;
const PAGES = 6;
const SERVERS = 3;
const SECRET = 'the secret of the client that this chaos speaks for';

const directory = mkdtempSync(join(tmpdir(), 'nest-auth-chaos-'));
const databaseUrl = flags.database ?? `sqlite:${join(directory, 'chaos.sqlite')}`;
const chance = dice(Number(flags.seed));
const run = Date.now().toString(36); // a database may have seen a run before
console.log(`seed ${flags.seed}`);

const nodes = [];
let isOver = false;
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
process.once('exit', (code) => {
  for (const node of nodes) node.kill();
  if (code === 0) rmSync(directory, { recursive: true, force: true });
  else console.log(`\nHistory, logs and database: ${directory}`);
});

const page = { client_id: `page-${run}` };
const server = { client_id: `server-${run}`, client_secret: SECRET };
const users = Array.from({ length: PEOPLE }, (_, i) => ({ name: `user-${i}-${run}`, password: 1 }));
await prepare();
const database = await openDatabase(databaseUrl, Number(flags.nodes));
const fronts = await startNodes();
const wire = new Wire(fronts);
for (const node of nodes)
  node.crashed = () => wire.note({ node: node.name, did: 'serve', said: 'fault', why: 'ended' });
const clients = [
  ...Array.from({ length: PAGES }, (_, i) => client(`page-${i}`, page, `device-${i}`)),
  ...Array.from({ length: SERVERS }, (_, i) => client(`server-${i}`, server)),
];
const lives = Promise.all(clients.map((one) => one.live()));
await Promise.all([killing(), outing(), operating(), sleep(Number(flags.seconds) * 1000)]);
for (const front of fronts) front.calm = true;
await Promise.all(nodes.map((node) => node.up()));
isOver = true;
await lives;
await Promise.all(clients.map((one) => one.checkAll()));
await Promise.all(nodes.map((node) => node.stop()));
for (const { close } of [...fronts.map((front) => ({ close: () => front.close() })), database]) close();
judge();

async function prepare() {
  const must = async (args, input) => {
    const { code, stderr } = await command(databaseUrl, args, { input });
    if (code !== 0) throw new Error(`nest-auth ${args.join(' ')}: ${stderr}`);
  };
  await must(['database', 'migrate']);
  await must(['clients', 'create', page.client_id, '--public', ...REGISTRATION]);
  await must(['clients', 'create', server.client_id, '--secret-stdin', ...REGISTRATION], SECRET);
  await Promise.all(users.map(({ name }) => must(['users', 'create', name, '--password-stdin'], `${name} and 1`)));
}

async function startNodes() {
  for (const [i, url] of database.urls.entries()) {
    const name = `n${i}`;
    const offset = Math.round(i === 0 ? -SKEW : chance.between(0, SKEW));
    console.log(`${name}: clock off by ${offset} ms`);
    nodes.push(new ServiceNode({ name, databaseUrl: url, offset, log: join(directory, `${name}.log`) }));
  }
  for (const node of nodes) node.start();
  await Promise.all(nodes.map((node) => node.up()));
  return Promise.all(nodes.map((node) => new Front(node, chance.another()).open()));
}

function client(name, app, device) {
  return new HonestClient({ name, app, device, users, wire, dice: chance.another(), isOver: () => isOver });
}

/** Does something again and again, with pauses, until the time is up. */
async function again(pause, act) {
  const throws = chance.another();
  const ends = performance.now() + Number(flags.seconds) * 1000;
  for (;;) {
    await sleep(throws.between(...pause));
    if (performance.now() > ends) return;
    await act(throws);
  }
}

/** A node, mostly while the others serve, or all of them, even while they start. */
function killing() {
  return again([500, 3000], (throws) => {
    const serving = nodes.filter(({ port }) => port !== undefined);
    const isSpared = serving.length === 0 || (serving.length < nodes.length && throws.chance(0.7));
    const doomed = throws.chance(0.1) ? nodes : isSpared ? [] : [throws.pick(serving)];
    for (const node of doomed) {
      node.kill();
      wire.note({ node: node.name, did: 'kill', said: 'ok' });
    }
  });
}

function outing() {
  return again([3000, 10_000], (throws) =>
    wire.record({ did: 'away' }, async () => {
      await database.away(throws.between(300, 5000), throws);
      return { said: 'ok' };
    }),
  );
}

function operating() {
  const clientIds = [page.client_id, server.client_id];
  const operator = new Operator({ databaseUrl, users, clientIds, wire, dice: chance.another() });
  return again([2000, 7000], () => operator.act());
}

function judge() {
  const { history } = wire;
  const text = history.map((event) => `${JSON.stringify(event)}\n`).join('');
  writeFileSync(flags.history ?? join(directory, 'history.jsonl'), text);
  const lost = fronts.reduce((sum, front) => sum + front.lost, 0);
  printCounts(count(history, lost));
  const violations = check(history, { window: WINDOW * 1000, skew: 2 * SKEW });
  for (const violation of violations.slice(0, 5)) printViolation(violation);
  if (violations.length > 0) console.log(`\n${violations.length} rules broken, seed ${flags.seed}`);
  else console.log('\nNo rule was broken.');
  process.exit(violations.length > 0 ? 1 : 0);
}
