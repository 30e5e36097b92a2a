import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../src/base/database/own/data-source-options.js';
import { authSchema } from '../src/wings.js';
import { empty, query } from './database-server.cjs';

/*
 * Where the tests keep their databases: in files, or, in the projects of jest for other engines, on a server. There each
 * test file has some of its own, which are emptied and taken again, for making one is dear.
 */

/** URL of the server; undefined: SQLite. Set by jest.config.cjs. */
const SERVER = (globalThis as { DATABASE_SERVER?: string }).DATABASE_SERVER;

export const ENGINE = SERVER === undefined ? 'sqlite' : SERVER.startsWith('postgres') ? 'postgres' : 'mysql';

export const onSqlite = ENGINE === 'sqlite';

/** For what is true of a file alone. */
export const itOnSqlite = onSqlite ? it : it.skip;

/** For what is true of a server alone. */
export const itOnServer = onSqlite ? it.skip : it;
export const describeOnServer = onSqlite ? describe.skip : describe;
export const itOnPostgres = ENGINE === 'postgres' ? it : it.skip;

export interface TestDatabase {
  /** DATABASE_URL of the service. */
  url: string;
  /** Of SQLite; '' on a server. */
  file: string;
  /** Whoever takes it next finds it empty. */
  release(): void;
}

let made = 0;
const free: string[] = [];

/** An empty database. */
export async function takeDatabase(): Promise<TestDatabase> {
  if (SERVER === undefined) {
    const dir = mkdtempSync(join(tmpdir(), 'auth-'));
    const file = join(dir, 'auth.sqlite');
    return { url: `sqlite:${file}`, file, release: () => rmSync(dir, { recursive: true, force: true }) };
  }
  const name = free.pop() ?? nameOf(`${process.env['JEST_WORKER_ID'] ?? 0}_${++made}`);
  const url = urlOf(name);
  await empty(new URL(url));
  return { url, file: '', release: () => void free.push(name) };
}

const ofFolders = new Map<string, Promise<TestDatabase>>();

/** The database that processes in a folder have: `auth.sqlite` there, or one on the server that is made now. */
export async function databaseOfFolder(dir: string): Promise<string> {
  if (SERVER === undefined) return 'sqlite:auth.sqlite';
  let database = ofFolders.get(dir);
  if (database === undefined) ofFolders.set(dir, (database = takeDatabase()));
  return (await database).url;
}

/** What a statement returns, on whichever engine. @param url whose path is absolute, where it is a file's */
export async function rowsOf<Row>(url: string, sql: string): Promise<Row[]> {
  return (await query(new URL(url), sql)) as Row[];
}

function nameOf(rest: string): string {
  return `auth_test_${process.env['AUTH_TEST_RUN'] ?? 'x'}_${rest}`;
}

function urlOf(name: string): string {
  const url = new URL(SERVER!);
  url.pathname = `/${name}`;
  return url.href;
}

/** What an INSERT … SELECT can take numbers from, as `n(i)`: 0, 1, 2 … */
export function numbers(count: number): string {
  return `WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 999),
    n(i) AS (SELECT a.i * 1000 + b.i FROM d AS a, d AS b WHERE a.i * 1000 + b.i < ${count})`;
}

/** Another connection to a database of the service, by which migrations are undone and done. */
export async function migrator(url: string): Promise<DataSource> {
  return new DataSource(await dataSourceOptions(url, authSchema())).initialize();
}
