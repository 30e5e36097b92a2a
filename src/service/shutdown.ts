import cluster from 'node:cluster';
import { constants } from 'node:os';
import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

/** What the process that looks after workers tells them. */
export const STOP = 'stop';

/** Ctrl-C reaches us from the terminal and, under npm, once more from npm: within this many milliseconds it is the same. */
const SAME_INTERRUPT = 500;

/** How long everything else may take to end after the connections' deadline, in milliseconds. */
const GRACE = 2000;

/** @param first what the first signal does; @param again what each one after it does */
export function onSignals(first: (signal: Signal) => void, again: (signal: Signal) => void): void {
  let stoppingSince: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        first(signal);
      } else if (signal !== 'SIGINT' || performance.now() - stoppingSince > SAME_INTERRUPT) {
        again(signal);
      }
    });
  }
}

/**
 * Ends the process in good order at the first signal, or when the one that looks after it says so, and at once at a
 * second signal.
 * @param seconds how long requests under way may take
 */
export function stopWhenTold(app: INestApplication, log: Logger, seconds: number): void {
  let isStopping = false;
  const begin = (why: object) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ ...why, msg: 'stopping' });
    setTimeout(() => process.exit(1), seconds * 1000 + GRACE);
    void stop(app, log).then((code) => process.exit(code));
  };
  onSignals(
    (signal) => begin({ signal }),
    (signal) => process.exit(128 + constants.signals[signal]),
  );
  if (cluster.isWorker) process.on('message', (message) => message === STOP && begin({}));
}

/** The connections first: what answers them is needed until they are. */
async function stop(app: INestApplication, log: Logger): Promise<number> {
  try {
    await app.getHttpAdapter().close();
    await app.close();
    return 0;
  } catch (error) {
    log.error({ err: error, msg: 'did not stop in good order' });
    return 1;
  }
}
