import sqlite3 from 'sqlite3';
import type { DataSourceOptions } from 'typeorm';
import { authEntities, authMigrations } from '../wings.js';

export const DEFAULT_DATABASE_URL = 'sqlite:data/auth.sqlite';

/** sqlite3 without the verbose mode that TypeORM turns on: a stack trace for each statement, dearer than the statement. */
const quietSqlite3 = { ...sqlite3, verbose: () => quietSqlite3 };

/**
 * What the service's data source is made of.
 * @param url `sqlite:<file>`
 * @throws Error that says what is wrong with the URL, without repeating it
 */
export function ormOptions(url = DEFAULT_DATABASE_URL): DataSourceOptions {
  const file = /^sqlite:(?!:memory:)(.+)$/.exec(url)?.[1];
  if (file === undefined) throw new Error('must be sqlite:<file>');
  return {
    type: 'sqlite',
    driver: quietSqlite3,
    database: file,
    enableWAL: true,
    busyTimeout: 2000,
    entities: authEntities,
    migrations: authMigrations,
    migrationsTransactionMode: 'each',
    synchronize: false,
  };
}
