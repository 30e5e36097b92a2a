import 'reflect-metadata';
import { explained, MADE_DATABASE } from './database-file.js';
import { seedDemo } from './demo.js';
import { listen } from './listen.js';
import { createLog } from './logging/json-logger.js';
import { createServer } from './server.js';
import { readSettings, type Settings } from './settings.js';
import { stopOnSignals } from './shutdown.js';

let settings: Settings | undefined;
try {
  settings = readSettings(process.env);
  const log = createLog(settings.logLevel);
  const app = await createServer(settings, log);
  await app.init();
  const demo = settings.production ? undefined : await seedDemo(app);
  const url = await listen(app, settings);
  stopOnSignals(app, log, settings.shutdownTimeout); // before that, a signal simply ends it
  const made = app.get<string | undefined>(MADE_DATABASE);
  if (made !== undefined) log[settings.production ? 'warn' : 'info']({ file: made, msg: 'a new database was made' });
  log.info({ url, issuer: settings.auth.issuer, database: settings.databaseUrl.split(':', 1)[0], msg: 'listening' });
  log.flush();
  if (demo !== undefined) {
    const request = `curl -s ${url}/auth/v1/token -H 'content-type: application/json' -d '${demo}'`;
    console.log(`\nA demo client and user were made, this once. For tokens, paste:\n\n  ${request}\n`);
  }
} catch (error) {
  const why = settings ? explained(error, settings.databaseUrl.replace(/^sqlite:/, '')) : error;
  const line = (why instanceof Error ? why.message : String(why)).replace(/\s*\n\s*/g, ' ');
  console.error(`nest-auth did not start: ${line}`);
  process.exit(1);
}
