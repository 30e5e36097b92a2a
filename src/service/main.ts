import 'reflect-metadata';
import cluster from 'node:cluster';
import { readSettings } from './settings.js';
import { superviseWorkers } from './workers.js';

try {
  const settings = readSettings(process.env);
  if (settings.workers > 1 && cluster.isPrimary) superviseWorkers(settings);
  // loaded where it is needed: who only looks after workers has no use for it
  else await (await import('./serve.js')).serve(settings);
} catch (error) {
  const line = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
  console.error(`nest-auth did not start: ${line}`);
  process.exit(1);
}
