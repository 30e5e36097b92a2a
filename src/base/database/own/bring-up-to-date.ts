import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OptionError } from '../../auth.options.js';
import type { OwnOptions } from './data-source-options.js';
import { explained } from './file-problems.js';
import { isFile } from './sqlite-options.js';
import { oneAtATime } from './migration-lock.js';

/** How long another process may keep the database from being opened, one attempt, and between two, in milliseconds. */
const PATIENCE = 2000;
const BUSY_TIMEOUT = 250;
const PAUSE = 50;

/** Failures that waiting does not mend: of a file, and what servers say of who asks. */
const FINAL =
  /SQLITE_(NOTADB|CORRUPT|READONLY|FULL|IOERR|CANTOPEN)|^(28|3D|42501)|ER_(ACCESS_DENIED|DBACCESS_DENIED|BAD_DB)/;

/**
 * Makes the file that there is not yet, and brings the schema up to date.
 * @throws OptionError within three seconds where the database is of no use
 */
export async function bringUpToDate(options: OwnOptions): Promise<void> {
  try {
    if (isFile(options)) makeFile(options.database);
    await migrated(options);
  } catch (error) {
    throw unusable(error, options);
  }
}

/** The same failure; as one of the option databaseUrl where it is about the file or the server. */
export function unusable(error: unknown, options: OwnOptions): unknown {
  return isFile(options) ? explained(error, options.database) : unreachable(error, options);
}

/** Where there is none; readable by its owner alone. */
export function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  closeSync(openSync(file, 'a', 0o600));
}

/** Another process may be migrating the same database, or have locked it for a moment; then this one tries again. */
async function migrated(options: OwnOptions): Promise<void> {
  const impatient = isFile(options) ? { ...options, busyTimeout: BUSY_TIMEOUT, timeout: BUSY_TIMEOUT } : options;
  let progress = 0;
  for (let deadline = performance.now() + PATIENCE; ; await sleep(PAUSE)) {
    const dataSource = new DataSource(impatient);
    try {
      await dataSource.initialize();
      await oneAtATime(dataSource, () => migrate(dataSource));
      return;
    } catch (error) {
      if (FINAL.test(codeOf(error)) || FINAL.test(String(error))) throw error;
      const migrated = await countMigrations(dataSource);
      if (migrated > progress) {
        deadline = performance.now() + PATIENCE; // whoever migrates gets on with it
        progress = migrated;
      } else if (performance.now() > deadline) throw error;
    } finally {
      if (dataSource.isInitialized) await dataSource.destroy();
    }
  }
}

async function migrate(dataSource: DataSource): Promise<void> {
  const { options } = dataSource;
  if (options.type === 'postgres' && options.schema !== undefined) {
    await dataSource.query(`CREATE SCHEMA IF NOT EXISTS ${dataSource.driver.escape(options.schema)}`);
  }
  await dataSource.runMigrations();
  const done = await dataSource.query<{ name: string }[]>(
    `SELECT name FROM ${migrationsTable(dataSource)} ORDER BY id`,
  );
  const known = new Set(dataSource.migrations.map(({ name }) => name));
  const newer = done.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (newer.length > 0) {
    new Logger('Database').warn({ msg: 'the schema is newer than this release, which goes on with it', newer });
  }
}

/** How many have run, as far as can be seen. */
async function countMigrations(dataSource: DataSource): Promise<number> {
  if (!dataSource.isInitialized) return 0;
  return dataSource.query<object[]>(`SELECT name FROM ${migrationsTable(dataSource)}`).then(
    (rows) => rows.length,
    () => 0,
  );
}

function migrationsTable({ driver, options }: DataSource): string {
  return driver.buildTableName('migrations', (options as { schema?: string }).schema);
}

function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? '';
}

/** What a server said, or that there is none; without the password. */
function unreachable(error: unknown, options: OwnOptions): unknown {
  const failure = error as { message?: string; errors?: Error[]; query?: string } | null;
  if (failure?.query !== undefined) return error; // it is there, and refused a statement of ours
  const why = failure?.message || failure?.errors?.map(({ message }) => message).join(', ') || codeOf(error);
  return new OptionError('databaseUrl', `cannot use the ${options.type} database: ${why}`);
}
