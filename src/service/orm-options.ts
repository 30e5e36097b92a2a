import type { DataSourceOptions, Logger } from 'typeorm';
import { authEntities, authMigrations } from '../wings.js';
import { installed } from '../base/installed.js';
import { databaseOf, type DatabaseUrl } from './database-url.js';

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
 * What the service's data source is made of. The driver is loaded here, and only the one that is used.
 * @param poolSize connections of this process, where the database is a server
 * @throws Error that says what to install
 */
export async function ormOptions(url: string, poolSize = 10): Promise<DataSourceOptions> {
  const database = databaseOf(url);
  return {
    ...(await connectionTo(database, poolSize)),
    logger: SILENT,
    entities: authEntities,
    migrations: authMigrations,
    migrationsTransactionMode: 'each',
    synchronize: false,
  };
}

async function connectionTo(database: DatabaseUrl, poolSize: number): Promise<DataSourceOptions> {
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

/** @throws Error in one line, where a package is not there */
async function driver(name: string, load: () => Promise<object>): Promise<object> {
  const loaded = (await installed(name, load, 'DATABASE_URL: its driver')) as { default?: object };
  return loaded.default ?? loaded;
}

/** sqlite3 without the verbose mode that TypeORM turns on: a stack trace for each statement, dearer than the statement. */
function quiet(sqlite3: object): object {
  const driver = { ...sqlite3, verbose: () => driver };
  return driver;
}
