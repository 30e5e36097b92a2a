// The floor's sessions: each is moved on, or read, by one prepared statement of the driver alone. On a server it is the
// statement that the service sends, on a table that has the columns it needs, through a pool as large as the service's.
import { isPostgres, mysqlOptions } from './databases.mjs';
import { client, CONNECTIONS } from './workload.mjs';

const POOL = 10;
const DAY = 86_400_000;

const TABLE = `CREATE TABLE floor_session (id varchar(22) PRIMARY KEY, sub varchar(255) NOT NULL,
  client_id varchar(128) NOT NULL, scope text NOT NULL, generation integer NOT NULL, authenticated_at bigint NOT NULL,
  credentials_version integer NOT NULL, account_access boolean NOT NULL, rotated_at bigint,
  rotated_by_device varchar(128), rotated_by_network varchar(22), expires_at bigint NOT NULL, revoked_at bigint,
  dpop_jkt varchar(43))`;
const ROWS = `INSERT INTO floor_session VALUES ${each(
  (id) => `('${id}', 'bench', '${client.client_id}', 'profile', 0, ${Date.now()}, 0, false, NULL, NULL, NULL,
    ${Date.now() + DAY}, NULL, NULL)`,
)}`;
const UPDATE = `UPDATE floor_session
  SET generation = ?, rotated_at = ?, rotated_by_device = ?, rotated_by_network = ?
  WHERE id = ? AND client_id = ? AND generation <= ? AND revoked_at IS NULL AND expires_at > ?
    AND (dpop_jkt IS NULL OR dpop_jkt = ?)`;
const ROTATED = 'sub, scope, authenticated_at, credentials_version, account_access';
const SELECT = 'SELECT client_id, generation, expires_at, revoked_at FROM floor_session WHERE id = ?';

/**
 * @returns `rotate(id, generation, next, done)`, which tells whether the session has moved, and `find(id, done)`, which
 *   tells its row
 */
export function openSessions(url) {
  if (url.startsWith('sqlite:')) return inSqlite(url.slice('sqlite:'.length));
  return isPostgres(url) ? inPostgres(url) : inMysql(url);
}

async function inSqlite(file) {
  const { default: sqlite3 } = await import('sqlite3');
  const database = new sqlite3.Database(file);
  await new Promise((resolve, reject) => {
    database.exec(
      `PRAGMA journal_mode = WAL;
       PRAGMA synchronous = NORMAL;
       CREATE TABLE session (id varchar(22) PRIMARY KEY, client_id varchar(64) NOT NULL, generation integer NOT NULL,
         rotated_at bigint, expires_at bigint NOT NULL, revoked_at bigint);
       INSERT INTO session VALUES ${each((id) => `('${id}', '${client.client_id}', 0, NULL, ${Date.now() + DAY}, NULL)`)}`,
      (error) => (error ? reject(error) : resolve()),
    );
  });
  const rotation = database.prepare(
    'UPDATE session SET generation = ?, rotated_at = ? WHERE id = ? AND generation = ?',
  );
  const reading = database.prepare('SELECT client_id, generation, expires_at, revoked_at FROM session WHERE id = ?');
  return {
    rotate: (id, generation, next, done) =>
      rotation.run(next, Date.now(), id, generation, function (error) {
        done(!error && this.changes === 1);
      }),
    find: (id, done) => reading.all([id], (error, rows) => done(rows?.[0])),
  };
}

async function inPostgres(url) {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: url, max: POOL, keepAlive: true });
  await pool.query(TABLE);
  await pool.query(ROWS);
  const update = { name: 'rotate', text: numbered(`${UPDATE} RETURNING ${ROTATED}`) };
  const select = { name: 'find', text: numbered(SELECT) };
  return {
    rotate: (id, generation, next, done) =>
      pool.query({ ...update, values: change(id, generation, next) }, (error, result) =>
        done(!error && result.rows.length === 1),
      ),
    find: (id, done) => pool.query({ ...select, values: [id] }, (error, result) => done(result?.rows[0])),
  };
}

async function inMysql(url) {
  const { createPool } = await import('mysql2');
  const pool = createPool({ ...mysqlOptions(url), connectionLimit: POOL });
  await pool.promise().query(TABLE);
  await pool.promise().query(ROWS);
  const rotated = `SELECT ${ROTATED} FROM floor_session WHERE id = ?`;
  return {
    rotate: (id, generation, next, done) =>
      pool.execute(UPDATE, change(id, generation, next), (error, result) => {
        if (error || result.affectedRows !== 1) return done(false);
        pool.execute(rotated, [id], (failure, rows) => done(!failure && rows.length === 1));
      }),
    find: (id, done) => pool.execute(SELECT, [id], (error, rows) => done(rows?.[0])),
  };
}

/** What UPDATE binds. */
function change(id, generation, next) {
  const now = Date.now();
  return [next, now, null, null, id, client.client_id, generation, now, null];
}

function each(row) {
  return Array.from({ length: CONNECTIONS }, (_, i) => row(`session-${i}`)).join(', ');
}

function numbered(sql) {
  let n = 0;
  return sql.replaceAll('?', () => `$${++n}`);
}
