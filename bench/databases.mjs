// Where the service and the floor keep their sessions: a SQLite file each, or tables in one database on a server.
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * A new database.
 * @param server postgres://, mysql:// or mariadb://; left out: SQLite, in the directory
 * @returns the service's URL and the floor's, `rows(sql)` of the service's, and `drop()`
 */
export async function makeDatabase(server, directory) {
  if (server === undefined) return inFiles(directory);
  const name = `nest_auth_bench_${process.pid}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await once(server, `CREATE DATABASE ${name}`);
  return {
    service: url.href,
    floor: url.href,
    rows: (sql) => once(url.href, sql),
    drop: () => once(server, `DROP DATABASE ${name}${isPostgres(server) ? ' WITH (FORCE)' : ''}`),
  };
}

export function isPostgres(url) {
  return /^postgres(ql)?:/.test(url);
}

/** The name that a table of results has for it. */
export function engineOf(server) {
  if (server === undefined) return 'SQLite';
  return isPostgres(server) ? 'PostgreSQL' : 'MySQL or MariaDB';
}

/** What mysql2 makes a connection or a pool of: it does not know mariadb://. */
export function mysqlOptions(url) {
  return { uri: url.replace(/^mariadb:/, 'mysql:') };
}

function inFiles(directory) {
  const file = join(directory, 'service.sqlite');
  const rows = async (sql) => {
    const { default: sqlite3 } = await import('sqlite3');
    const database = new sqlite3.Database(file, sqlite3.OPEN_READONLY);
    const found = await promisify(database.all.bind(database))(sql);
    database.close();
    return found;
  };
  return { service: `sqlite:${file}`, floor: `sqlite:${join(directory, 'floor.sqlite')}`, rows, drop: async () => {} };
}

/** One statement over a connection of its own. */
async function once(url, sql) {
  if (isPostgres(url)) {
    const { default: pg } = await import('pg');
    const client = new pg.Client(url);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection(mysqlOptions(url));
  try {
    return (await connection.query(sql))[0];
  } finally {
    await connection.end();
  }
}
