import cluster from 'node:cluster';
import { explained } from '../base/database/own/file-problems.js';
import { MADE_DATABASE } from './database-file.js';
import { asSetting } from './settings.js';
import { seedDemo } from './demo.js';
import { listen } from './listen.js';
import { createLog } from './logging/json-logger.js';
import { createServer } from './server.js';
import type { Settings } from './settings.js';
import { stopWhenTold } from './shutdown.js';
import { VERSION } from './version.js';

/**
 * Starts the service, whole or as one of its workers, and says so.
 * @throws Error whose message says in one line why it does not start
 */
export async function serve(settings: Settings): Promise<void> {
  const log = createLog(settings.logLevel, cluster.worker && { worker: cluster.worker.id });
  try {
    const app = await createServer(settings, log);
    await app.init();
    const demo = settings.production ? undefined : await seedDemo(app);
    const url = await listen(app, settings);
    stopWhenTold(app, log, settings.shutdownTimeout); // before that, a signal simply ends it
    const made = app.get<string | undefined>(MADE_DATABASE);
    if (made !== undefined) log[settings.production ? 'warn' : 'info']({ file: made, msg: 'a new database was made' });
    log.info({
      version: VERSION,
      url,
      issuer: settings.auth.issuer,
      database: settings.databaseUrl.split(':', 1)[0],
      msg: 'listening',
    });
    log.flush();
    if (demo !== undefined) {
      const request = `curl -s ${url}/auth/v1/token -H 'content-type: application/json' -d '${demo}'`;
      console.log(`\nA demo client and user were made, this once. For tokens, paste:\n\n  ${request}\n`);
    }
  } catch (error) {
    const file = /^sqlite:(.+)/.exec(settings.databaseUrl)?.[1];
    throw asSetting(file === undefined ? error : explained(error, file));
  }
}
