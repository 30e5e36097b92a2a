import type { DataSourceOptions, Logger } from 'typeorm';
import type { Schema } from '../schema.js';
import { databaseOf, type DatabaseUrl } from './database-url.js';
import { driverOf, type FileOptions, sqliteOptions } from './sqlite-options.js';

/** Of the types that a URL can name. */
export type OwnOptions = FileOptions | Extract<DataSourceOptions, { type: DatabaseUrl['type'] }>;

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
      return sqliteOptions(database.file);
    case 'postgres':
      return {
        type,
        driver: await driverOf('pg', () => import('pg')),
        url: database.url,
        schema: database.schema,
        applicationName: 'nest-auth',
        poolSize,
        connectTimeoutMS: CONNECT_TIMEOUT,
        extra: { keepAlive: true },
      };
    case 'mysql':
    case 'mariadb':
      await driverOf('mysql2', () => import('mysql2'));
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
