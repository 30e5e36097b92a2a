import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';

const ATTEMPTS = 5;

/** Opens the service's data source, makes its file readable by the owner alone, and brings its schema up to date. */
export async function openDatabase(options: DataSourceOptions): Promise<DataSource> {
  if (options.type === 'sqlite') {
    mkdirSync(dirname(options.database), { recursive: true });
    closeSync(openSync(options.database, 'a', 0o600));
  }
  const dataSource = await new DataSource(options).initialize();
  try {
    await migrate(dataSource);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
}

/** Another process may be migrating the same database; then this one finds nothing left to do. */
async function migrate(dataSource: DataSource): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await dataSource.runMigrations();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(100 * attempt);
    }
  }
}
