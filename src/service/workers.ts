import cluster, { type Worker } from 'node:cluster';
import { createLog } from './logging/json-logger.js';
import type { Settings } from './settings.js';
import { onSignals, STOP } from './shutdown.js';

/** Milliseconds before a worker that died is replaced: at first, and at most; each time twice as long. */
const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** Milliseconds that a worker lives whose end was an accident: what it died of need not await the next one. */
const LONG_ENOUGH = 60_000;

/**
 * Starts the workers and replaces those that die. The first one is alone until it listens: it brings the schema up to
 * date, and where it does not come up, it has said why, and nothing is tried again.
 */
export function superviseWorkers({ workers, logLevel }: Settings): void {
  const log = createLog(logLevel);
  let isServing = false;
  let isStopping = false;
  let exitCode = 0;
  let pause = SHORTEST_PAUSE;

  const listening = new WeakSet<Worker>();
  const living = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);

  const start = (): void => {
    const began = performance.now();
    const worker = cluster.fork();
    worker.once('listening', () => listening.add(worker));
    worker.once('exit', (code, signal) => {
      if (isStopping && listening.has(worker)) exitCode = Math.max(exitCode, code ?? 1);
      if (!isServing) process.exit(code || 1);
      if (isStopping) return living().length === 0 ? process.exit(exitCode) : undefined;
      pause = performance.now() - began > LONG_ENOUGH ? SHORTEST_PAUSE : Math.min(2 * pause, LONGEST_PAUSE);
      log.error({ worker: worker.id, code, signal, seconds: pause / 1000, msg: 'a worker died; it is replaced' });
      log.flush();
      setTimeout(() => !isStopping && start(), pause);
    });
  };

  cluster.once('listening', () => {
    isServing = true;
    for (let n = 1; n < workers && !isStopping; n++) start();
  });
  onSignals(
    () => {
      isStopping = true;
      if (living().length === 0) process.exit(0);
      for (const worker of living()) {
        // no signal: whoever stops a group of processes has sent them one already, and a second one ends them at once
        if (listening.has(worker)) worker.send(STOP, () => undefined);
        else worker.process.kill('SIGTERM'); // it has nothing to end yet
      }
    },
    (signal) => {
      for (const worker of living()) worker.process.kill(signal);
    },
  );
  start();
}
