// Fills a prepared database with users and their sessions, in one INSERT each.
//
// What a row holds is computed from its number, so that we know the n-th user's name and the n-th session's id, and ids
// lie scattered as random ones do. Every user has the password and the groups of the one who is there already.
import { user as model, client } from './workload.mjs';

const LIFETIME = 31 * 86_400_000; // milliseconds of a session

/** Two numbers that scatter n over 32 bits, as they are written in JavaScript, and in SQL. */
const SCATTER = [2654435761, 2246822519];

/** The id of the n-th session: 16 bytes, base64url. */
export function sessionId(n) {
  const [a, b] = SCATTER.map((factor) =>
    Number((BigInt(n) * BigInt(factor)) & 0xffffffffn)
      .toString(16)
      .padStart(8, '0'),
  );
  return `${a}${b}00000A`;
}

export function username(k) {
  return `user${k}`;
}

const DIALECTS = {
  sqlite: {
    hex: (n) => `printf('%08x', ${n})`,
    series: (count) => `WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < ${count})`,
    of: () => 'series',
    loading: loadingFile,
  },
  postgres: {
    hex: (n) => `lpad(to_hex(${n}), 8, '0')`,
    series: () => '',
    of: (count) => `generate_series(1::bigint, ${count}) AS series(n)`,
    loading: loadingServer,
  },
};

/**
 * @param sessions how many, in the order in which they expire; the first `expired` of them have done so
 * @param users how many of them have them in turn
 */
export async function fill(database, { users, sessions, expired }) {
  const now = Date.now();
  const dialect = DIALECTS[database.kind];
  const scattered = (n, factor) => dialect.hex(`(${n} * ${factor}) & 4294967295`);
  const sub = (k) => `${scattered(k, SCATTER[0])} || '-0000-4000-8000-0000' || ${scattered(k, SCATTER[1])}`;
  const id = `${scattered('n', SCATTER[0])} || ${scattered('n', SCATTER[1])} || '00000A'`;
  // the living ones have an hour left at least
  const step = Math.floor(LIFETIME / Math.max(1, sessions - expired));
  const expires = `${now} + (n - ${expired}) * ${step} + CASE WHEN n > ${expired} THEN 3600000 ELSE -1000 END`;
  const device = `${scattered('n', SCATTER[1])} || '-0000-4000-8000-' || ${scattered('n', SCATTER[0])} || '0000'`;
  const series = (count) => [dialect.series(count), dialect.of(count)];
  const [withUsers, ofUsers] = series(users);
  const [withSessions, ofSessions] = series(sessions);
  await dialect.loading(database, [
    `INSERT INTO auth_user (id, username, password_hash, email, login_email, name, groups, created_at, updated_at)
     ${withUsers} SELECT ${sub('n')}, 'user' || n, model.password_hash, 'user' || n || '@example.com',
       'user' || n || '@example.com', 'User ' || n, model.groups, ${now}, ${now}
     FROM ${ofUsers} CROSS JOIN (SELECT * FROM auth_user WHERE username = '${model.username}') AS model`,
    `INSERT INTO auth_session (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at,
       rotated_at, rotated_by_device, rotated_by_network, device_id, account_access)
     ${withSessions} SELECT ${id}, ${sub(`(1 + (n * 7919) % ${users})`)}, '${client.client_id}', 'profile', 1,
       expires_at - ${LIFETIME}, expires_at - ${LIFETIME}, expires_at, expires_at - ${LIFETIME / 2}, device,
       substr(device, 1, 22), device, ${database.kind === 'sqlite' ? 1 : true}
     FROM (SELECT n, ${expires} AS expires_at, ${device} AS device FROM ${ofSessions}) AS numbered`,
  ]);
}

/** Indexes come after the rows, and nothing is synced: what is cut short is made anew. */
async function loadingFile(database, inserts) {
  const indexes = await database.all(
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('auth_user', 'auth_session') AND sql IS NOT NULL",
  );
  await database.all(
    'PRAGMA journal_mode = OFF',
    'PRAGMA synchronous = OFF',
    'PRAGMA cache_size = -1500000',
    ...indexes.map(({ name }) => `DROP INDEX "${name}"`),
    ...inserts,
    ...indexes.map(({ sql }) => sql),
    'PRAGMA synchronous = FULL',
    'PRAGMA journal_mode = WAL',
  );
}

async function loadingServer({ all }, inserts) {
  const tables = "('auth_user'::regclass, 'auth_session'::regclass)";
  const keys = await all(
    `SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS sql FROM pg_constraint
     WHERE contype = 'p' AND conrelid IN ${tables}`,
  );
  const indexes = await all(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS sql FROM pg_index
     WHERE NOT indisprimary AND indrelid IN ${tables}`,
  );
  await all("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'");
  for (const { table, name } of keys) await all(`ALTER TABLE ${table} DROP CONSTRAINT "${name}"`);
  for (const { name } of indexes) await all(`DROP INDEX ${name}`);
  for (const sql of inserts) await all(sql);
  for (const { table, name, sql } of keys) await all(`ALTER TABLE ${table} ADD CONSTRAINT "${name}" ${sql}`);
  for (const { sql } of indexes) await all(sql);
  await all('VACUUM (ANALYZE) auth_user');
  await all('VACUUM (ANALYZE) auth_session');
  await all('CHECKPOINT');
}
