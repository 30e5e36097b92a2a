// Databases to measure in: each a new one, that is asked directly and goes away in the end.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import sqlite3 from 'sqlite3';

const TICKS = 100; // a second, in /proc/<pid>/stat

/**
 * A new database: on the server of a postgres: URL, else a file in the directory.
 * @returns its `url`; `all(sql)`; `sizes()`, bytes by table and index; `cpu()`, seconds that its server has spent on
 *   its connections, where that can be seen; `written()`, bytes of log; `drop()`
 */
export function newDatabase(name, directory, server) {
  return server === undefined ? newFile(join(directory, `${name}.sqlite`)) : newOnServer(name, server);
}

async function newOnServer(suffix, server) {
  const name = `nest_auth_grow_${process.pid}_${suffix}`;
  const url = new URL(server);
  url.pathname = name;
  await asking(server, (client) => client.query(`CREATE DATABASE ${name}`));
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const all = async (sql) => (await client.query(sql)).rows;
  return {
    kind: 'postgres',
    url: url.href,
    all,
    sizes: () =>
      all(
        `SELECT relname AS name, pg_relation_size(oid) AS bytes FROM pg_class
         WHERE relkind IN ('r', 'i') AND relname ~ 'auth_(session|user)' OR oid IN (
           SELECT indexrelid FROM pg_index WHERE indisprimary AND indrelid IN ('auth_session'::regclass, 'auth_user'::regclass))
         ORDER BY 2 DESC`,
      ),
    cpu: async () => {
      const rows = await all(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nest-auth'",
      );
      return new Map(rows.map(({ pid }) => [pid, secondsOf(pid)]));
    },
    written: async () => Number((await all("SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes"))[0].bytes),
    drop: async () => {
      await client.end();
      await asking(server, (other) => other.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

async function asking(url, what) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await what(client).finally(() => client.end());
}

/** CPU seconds of a process of this machine. */
function secondsOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return NaN;
  }
}

/** What is asked of a file is asked over one connection, opened and closed each time: nothing of it is kept in memory. */
function newFile(file) {
  const all = async (...statements) => {
    const database = new sqlite3.Database(file);
    const run = (sql) =>
      new Promise((resolve, reject) => database.all(sql, (error, rows) => (error ? reject(error) : resolve(rows))));
    let rows;
    try {
      for (const sql of statements) rows = await run(sql);
    } finally {
      await new Promise((resolve) => database.close(resolve));
    }
    return rows;
  };
  return {
    kind: 'sqlite',
    url: `sqlite:${file}`,
    all,
    sizes: () =>
      all(
        `SELECT name, pgsize AS bytes FROM dbstat
         WHERE aggregate = TRUE AND (name GLOB '*auth_session*' OR name GLOB '*auth_user*') ORDER BY 2 DESC`,
      ),
    cpu: async () => new Map(),
    drop: async () => ['', '-wal', '-shm'].forEach((end) => rmSync(`${file}${end}`, { force: true })),
  };
}
