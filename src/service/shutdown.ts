import { constants } from 'node:os';
import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Ctrl-C reaches us from the terminal and, under npm, once more from npm: within this many milliseconds it is the same. */
const SAME_INTERRUPT = 500;

/** How long everything else may take to end after the connections' deadline, in milliseconds. */
const GRACE = 2000;

/**
 * Ends the process in good order at the first signal, and at once at a second one.
 * @param seconds how long requests under way may take
 */
export function stopOnSignals(app: INestApplication, log: Logger, seconds: number): void {
  let stoppingSince: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        log.info({ signal, msg: 'stopping' });
        setTimeout(() => process.exit(1), seconds * 1000 + GRACE);
        void stop(app, log).then((code) => process.exit(code));
      } else if (signal !== 'SIGINT' || performance.now() - stoppingSince > SAME_INTERRUPT) {
        process.exit(128 + constants.signals[signal]);
      }
    });
  }
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
