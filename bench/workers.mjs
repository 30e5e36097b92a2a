// What a second worker brings: client_credentials at the service with WORKERS=1 and at another with WORKERS=2, in turns.
// Nothing is pinned, for the workers need the cores; on a machine of two the load takes its share of them, and what two
// workers can do is more than this shows. Their CPU a request says how much: it is that of all of the service's processes.
//
//   npm run build && node bench/workers.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDatabase } from './databases.mjs';
import { load, median, quantile } from './load.mjs';
import { cpu, startService, stopAll } from './processes.mjs';
import { print } from './report.mjs';
import { clientCredentials } from './workload.mjs';

const WARM_UP = 4; // seconds
const TURN = 2; // seconds
const ROUNDS = 6;

const directory = mkdtempSync(join(tmpdir(), 'nest-auth-bench-'));
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
process.once('exit', () => {
  stopAll();
  rmSync(directory, { recursive: true, force: true });
});

const services = [];
for (const workers of [1, 2]) {
  const own = mkdtempSync(join(directory, 'service-'));
  const service = await startService(own, await makeDatabase(undefined, own), { env: { WORKERS: String(workers) } });
  services.push({ ...service, workers, turns: [] });
}
for (const service of services) await turn(service, WARM_UP);
for (let round = 0; round < ROUNDS; round++) {
  for (const service of services) service.turns.push(await turn(service, TURN));
}
const [one, two] = services.map(({ turns }) => ({
  rps: median(turns.map(({ rps }) => rps)),
  cpu: median(turns.map(({ cpu }) => cpu)),
  p50: median(turns.map(({ p50 }) => p50)),
  p99: median(turns.map(({ p99 }) => p99)),
}));
console.log(`\nOn ${availableParallelism()} cores, which the load shares`);
print(
  [
    { name: 'client_credentials', side: '1 worker', ...one },
    { side: '2 workers', ...two, ratio: `${(two.rps / one.rps).toFixed(2)} × requests` },
  ],
  [],
);
process.exit(0);

async function turn(service, seconds) {
  const before = cpu(service);
  const {
    answers,
    refused,
    seconds: took,
    ms,
  } = await load({ port: service.port, lanes: clientCredentials(), seconds });
  if (refused > 0) throw new Error(`${refused} of ${answers} answers were not 200`);
  const microseconds = ((cpu(service) - before) / answers) * 1e6;
  return { rps: answers / took, cpu: microseconds, p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) };
}
