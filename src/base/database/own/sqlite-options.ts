import { DataSource, type DataSourceOptions, MissingDriverError } from 'typeorm';
import { installed } from '../../installed.js';
import { OptionError } from '../../auth.options.js';

/** A file, by whichever of the two packages that SQLite has. */
export type FileOptions = Extract<DataSourceOptions, { type: 'sqlite' | 'better-sqlite3' }>;

/** Milliseconds that a statement waits for somebody else's. */
const BUSY_TIMEOUT = 2000;

export function isFile(options: DataSourceOptions): options is FileOptions {
  return options.type === 'sqlite' || options.type === 'better-sqlite3';
}

/**
 * A file of SQLite, or `:memory:`: by sqlite3, or by better-sqlite3 where that is what is installed, or what TypeORM knows.
 * @throws OptionError that says what to install
 */
export async function sqliteOptions(database: string): Promise<FileOptions> {
  const file = { database, enableWAL: database !== ':memory:' };
  const better = async (): Promise<FileOptions> => {
    // @ts-expect-error it need not be there when this is compiled
    const driver = await driverOf('better-sqlite3', () => import('better-sqlite3') as Promise<object>);
    return { type: 'better-sqlite3', driver, timeout: BUSY_TIMEOUT, ...file };
  };
  if (!knowsSqlite3()) return better();
  try {
    const driver = quiet(await driverOf('sqlite3', () => import('sqlite3')));
    return { type: 'sqlite', driver, busyTimeout: BUSY_TIMEOUT, ...file };
  } catch (error) {
    return better().catch(() => {
      throw error;
    });
  }
}

/** @throws OptionError where a package is not there */
export async function driverOf(name: string, load: () => Promise<object>): Promise<object> {
  try {
    const loaded = (await installed(name, load, 'needs a driver that')) as { default?: object };
    return loaded.default ?? loaded;
  } catch (error) {
    throw new OptionError('databaseUrl', (error as Error).message);
  }
}

/** TypeORM 1 does not. */
function knowsSqlite3(): boolean {
  try {
    return Boolean(new DataSource({ type: 'sqlite', database: ':memory:', driver: quiet({}) }));
  } catch (error) {
    if (error instanceof MissingDriverError) return false;
    throw error;
  }
}

/** sqlite3 without the verbose mode that TypeORM turns on: a stack trace for each statement, dearer than the statement. */
function quiet(sqlite3: object): object {
  const driver = { ...sqlite3, verbose: () => driver };
  return driver;
}
