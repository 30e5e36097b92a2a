import 'reflect-metadata';
import { seedDemo } from './demo.js';
import { listen } from './listen.js';
import { createLog } from './logging/json-logger.js';
import { createServer } from './server.js';
import { readSettings } from './settings.js';
import { stopOnSignals } from './shutdown.js';

try {
  const settings = readSettings(process.env);
  const log = createLog(settings.logLevel);
  const app = await createServer(settings, log);
  stopOnSignals(app, log, settings.shutdownTimeout);
  const url = await listen(app, settings);
  log.info({ url, issuer: settings.auth.issuer, database: settings.databaseUrl.split(':', 1)[0], msg: 'listening' });
  const demo = settings.production ? undefined : await seedDemo(app, url);
  log.flush();
  if (demo !== undefined) {
    console.log(`\nA demo client and user were made, this once. For tokens, paste:\n\n  ${demo}\n`);
  }
} catch (error) {
  console.error(`nest-auth did not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
