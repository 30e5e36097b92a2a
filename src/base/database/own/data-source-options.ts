import type { DataSourceOptions, Logger } from 'typeorm';
import { OptionError } from '../../auth.options.js';
import { installed } from '../../installed.js';
import type { Schema } from '../schema.js';
import { databaseOf, type DatabaseUrl } from './database-url.js';

/** Of the types that a URL can name. */
export type OwnOptions = Extract<DataSourceOptions, { type: DatabaseUrl['type'] }>;

/** TypeORM would print lines of its own between those of the log; what is wrong, errors say. */
const SILENT: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

/** Milliseconds after which a connection counts as refused. */
const CONNECT_TIMEOUT = 5000;

/**
 * What a data source of our own is made of. The driver is loaded here, and only the one that is used.
 * @param poolSize connections of this process, where the database is a server
 * @throws OptionError that says what to install
 */
export async function dataSourceOptions(url: string, schema: Schema, poolSize = 10): Promise<OwnOptions> {
  const database = databaseOf(url);
  return {
    ...(await connectionTo(database, poolSize)),
    logger: SILENT,
    ...schema,
    migrationsTransactionMode: 'each',
    synchronize: false,
  };
}

async function connectionTo(database: DatabaseUrl, poolSize: number): Promise<OwnOptions> {
  const { type } = database;
  switch (type) {
    case 'sqlite':
      return {
        type,
        driver: quiet(await driver('sqlite3', () => import('sqlite3'))),
        database: database.file,
        enableWAL: true,
        busyTimeout: 2000,
      };
    case 'postgres':
      return {
        type,
        driver: await driver('pg', () => import('pg')),
        url: database.url,
        schema: database.schema,
        applicationName: 'nest-auth',
        poolSize,
        connectTimeoutMS: CONNECT_TIMEOUT,
        extra: { keepAlive: true },
      };
    case 'mysql':
    case 'mariadb':
      await driver('mysql2', () => import('mysql2'));
      return {
        type,
        connectorPackage: 'mysql2',
        ...database.server,
        poolSize,
        connectTimeout: CONNECT_TIMEOUT,
        ssl: database.tls ? {} : undefined,
      };
  }
}

/** @throws OptionError where a package is not there */
async function driver(name: string, load: () => Promise<object>): Promise<object> {
  try {
    const loaded = (await installed(name, load, 'needs a driver that')) as { default?: object };
    return loaded.default ?? loaded;
  } catch (error) {
    throw new OptionError('databaseUrl', (error as Error).message);
  }
}

/** sqlite3 without the verbose mode that TypeORM turns on: a stack trace for each statement, dearer than the statement. */
function quiet(sqlite3: object): object {
  const driver = { ...sqlite3, verbose: () => driver };
  return driver;
}
