import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { explained, isSmall } from './database-file.js';

/** How long another process may keep the database from being opened, one attempt, and between two, in milliseconds. */
const PATIENCE = 2000;
const BUSY_TIMEOUT = 250;
const PAUSE = 50;

/** Failures that waiting does not mend. */
const FINAL = /SQLITE_(NOTADB|CORRUPT|READONLY|FULL|IOERR|CANTOPEN)/;

/**
 * Opens the service's data source and brings its schema up to date.
 * @param serving whether it is to be written to for long: then it is looked at, and written to once
 * @throws SettingsError within three seconds where the file is of no use
 */
export async function openDatabase(options: DataSourceOptions, serving = false): Promise<DataSource> {
  try {
    await prepare(options, serving);
    return await new DataSource(options).initialize();
  } catch (error) {
    throw explained(error, String(options.database));
  }
}

/** Another process may be migrating the same database, or have locked it for a moment; then this one tries again. */
async function prepare(options: DataSourceOptions, serving: boolean): Promise<void> {
  const impatient = options.type === 'sqlite' ? { ...options, busyTimeout: BUSY_TIMEOUT } : options;
  for (const deadline = performance.now() + PATIENCE; ; await sleep(PAUSE)) {
    const dataSource = new DataSource(impatient);
    try {
      await dataSource.initialize();
      await dataSource.runMigrations();
      if (options.type === 'sqlite' && serving) await probe(dataSource, options.database);
      return;
    } catch (error) {
      if (FINAL.test(String(error)) || performance.now() > deadline) throw error;
    } finally {
      if (dataSource.isInitialized) await dataSource.destroy();
    }
  }
}

/** @throws Error where the file is corrupt, or cannot be written to for another reason than that somebody else writes */
async function probe(dataSource: DataSource, file: string): Promise<void> {
  if (isSmall(file)) {
    const [{ quick_check: found }] = await dataSource.query<[{ quick_check: string }]>('PRAGMA quick_check(1)');
    if (found !== 'ok') throw new Error(`SQLITE_CORRUPT: ${found}`);
  }
  const [{ user_version: version }] = await dataSource.query<[{ user_version: number }]>('PRAGMA user_version');
  try {
    await dataSource.query(`PRAGMA user_version = ${version}`);
  } catch (error) {
    if (!String(error).includes('SQLITE_BUSY')) throw error;
  }
}
