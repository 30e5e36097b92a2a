import type { TypeOrmModuleOptions } from '@nestjs/typeorm';

/** What the host reads from its environment. */
export const settings = {
  database: databaseOf(process.env['HOST_DATABASE']!),
  /** Name of the TypeORM data source; undefined: the default one. */
  dataSource: process.env['HOST_DATA_SOURCE'],
  /** TypeORM's entityPrefix. */
  tablePrefix: process.env['HOST_TABLE_PREFIX'] ?? '',
  withoutAuth: process.env['HOST_WITHOUT_AUTH'] === '1',
  asyncOptions: process.env['HOST_ASYNC_OPTIONS'] === '1',
  withTombola: process.env['HOST_WITH_TOMBOLA'] === '1',
};

/** @param named a file, or the URL of a PostgreSQL database */
function databaseOf(named: string): TypeOrmModuleOptions {
  if (named.startsWith('postgres:')) return { type: 'postgres', url: named };
  const enableWAL = process.env['HOST_WAL'] === '1';
  // TypeORM 1 knows better-sqlite3 alone
  const type = (process.env['HOST_SQLITE_DRIVER'] ?? 'sqlite') as 'better-sqlite3';
  return { type, database: named, enableWAL };
}
