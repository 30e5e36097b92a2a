// What tests ask of a database directly.

const OPEN = {
  'postgres:': async (target) => {
    const { Client } = require('pg');
    const client = new Client({ connectionString: target.href });
    await client.connect();
    return { query: async (sql) => (await client.query(sql)).rows, end: () => client.end() };
  },
  'mysql:': async (target) => {
    const mysql = require('mysql2/promise');
    const options = { host: target.hostname, port: Number(target.port || 3306), user: target.username };
    const password = decodeURIComponent(target.password);
    const database = target.pathname.slice(1) || undefined;
    const client = await mysql.createConnection({ ...options, password, database, multipleStatements: true });
    return { query: async (sql) => (await client.query(sql))[0], end: () => client.end() };
  },
  'mariadb:': (target) => OPEN['mysql:'](target),
  'sqlite:': (target) => {
    const { Database } = require('sqlite3');
    const database = new Database(target.pathname);
    return {
      query: (sql) =>
        new Promise((resolve, reject) => database.all(sql, (error, rows) => (error ? reject(error) : resolve(rows)))),
      end: () => new Promise((resolve) => database.close(resolve)),
    };
  },
};
const open = (target) => OPEN[target.protocol](target);
const isPostgres = (target) => target.protocol === 'postgres:';
const serverOf = (target) => new URL(isPostgres(target) ? '/postgres' : '/', target);

async function empty(target) {
  const name = target.pathname.slice(1);
  const server = await open(serverOf(target));
  const listed = isPostgres(target)
    ? `SELECT 1 FROM pg_database WHERE datname = '${name}'`
    : `SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '${name}'`;
  if ((await server.query(listed)).length === 0) await server.query(`CREATE DATABASE ${name}`);
  else await clear(target, server, name);
  await server.end();
}

/** Tables that tests take away. */
const WHOLE = ['auth_user', 'auth_client', 'auth_signing_key', 'auth_parked_ticket', 'auth_attempt', 'migrations'];

/** Rows go; tables stay, unless a test has left some out. */
async function clear(target, server, name) {
  const database = await open(target);
  const schema = isPostgres(target) ? "'public'" : 'DATABASE()';
  const rows = await database.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema}`,
  );
  const tables = rows.map((row) => row.name);
  const isWhole = WHOLE.every((name) => tables.includes(name));
  if (isWhole) {
    const filled = tables.filter((table) => !['migrations', 'auth_heartbeat'].includes(table));
    await database.query(filled.map((table) => `DELETE FROM ${table}`).join('; '));
  }
  await database.end();
  if (isWhole) return;
  await server.query(isPostgres(target) ? `DROP DATABASE ${name} WITH (FORCE)` : `DROP DATABASE ${name}`);
  await server.query(`CREATE DATABASE ${name}`);
}

async function drop(target, prefix) {
  const server = await open(serverOf(target));
  const names = isPostgres(target)
    ? `SELECT datname AS name FROM pg_database WHERE datname LIKE '${prefix}%'`
    : `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '${prefix}%'`;
  for (const { name } of await server.query(names)) {
    await server.query(isPostgres(target) ? `DROP DATABASE ${name} WITH (FORCE)` : `DROP DATABASE ${name}`);
  }
  await server.end();
}

async function query(target, sql) {
  const database = await open(target);
  const rows = await database.query(sql);
  await database.end();
  return rows;
}

module.exports = { empty, drop, query };
