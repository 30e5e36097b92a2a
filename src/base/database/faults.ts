import { CannotExecuteNotConnectedError, ConnectionIsNotSetError, ConnectionNotFoundError } from 'typeorm';

/** The failures of SQLite that are the file's, the disk's or another writer's; extended codes begin with these. */
const SQLITE_AWAY =
  /^SQLITE_(BUSY|LOCKED|NOMEM|READONLY|INTERRUPT|IOERR|CORRUPT|FULL|CANTOPEN|PROTOCOL|NOTADB|MISUSE)(_[A-Z_]+)?$/;

/** Disk and socket failures. */
const NETWORK_AWAY =
  /^E(BADF|IO|NOSPC|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|PROTO|CONN(REFUSED|RESET|ABORTED)|HOST(UNREACH|DOWN)|NET(UNREACH|DOWN))$/;

/**
 * What of SQLSTATE means "not now": the classes of connection (08), authorization of the connection (28), serialization
 * (40), resources (53), operator (57) and system (58), a database that is not there (3D000), a lock (55P03), and a
 * server that became a read-only standby (25006).
 */
const SQLSTATE_AWAY = /^((08|28|40|53|57|58)[0-9A-Z]{3}|3D000|55P03|25006)$/;

const CODES_AWAY = [SQLITE_AWAY, NETWORK_AWAY, SQLSTATE_AWAY];

/** The same in the words of MySQL and MariaDB. */
const MYSQL_AWAY = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_NOWAIT',
  'ER_CON_COUNT_ERROR',
  'ER_USER_LIMIT_REACHED',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_ACCESS_DENIED_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_QUERY_INTERRUPTED',
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  'ER_DISK_FULL',
  'ER_OUT_OF_RESOURCES',
]);

/** What pg, pg-pool, mysql2 and TypeORM say of a connection that is gone, where they give it no code. */
const SAID_AWAY = new RegExp(
  [
    'Connection terminated',
    'Client (has encountered a connection error|was closed) and is not queryable',
    'timeout (exceeded when trying to connect|expired)',
    'Query read timeout',
    'Cannot use a pool after calling end on the pool',
    'Pool is closed',
    "Can't (add new command when connection is|write) in closed state",
    'Connection is not established',
    'Driver not Connected',
  ]
    .map((words) => `^${words}`)
    .join('|'),
);

/** What another writer's statement did to ours, which has changed nothing then. */
const COLLISION = new Set(['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', '40001', '40P01', 'ER_LOCK_DEADLOCK']);

const DUPLICATE = new Set([
  'SQLITE_CONSTRAINT',
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  '23505',
  'ER_DUP_ENTRY',
]);

/** Whether a write was refused because a unique value is taken. */
export function isDuplicate(error: unknown): boolean {
  return DUPLICATE.has(codeOf(error));
}

/** Whether a statement was in another one's way, and may be tried again as it is. */
export function isCollision(error: unknown): boolean {
  return COLLISION.has(codeOf(error));
}

/** The driver's word for it, whether TypeORM has wrapped the failure or not. */
export function codeOf(error: unknown): string {
  const failure = error as { code?: string; driverError?: { code?: string } } | null;
  return failure?.driverError?.code ?? failure?.code ?? '';
}

/** Whether this failure says that the database is away or too busy, rather than that we asked it something wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const isAway =
    error instanceof ConnectionIsNotSetError ||
    error instanceof ConnectionNotFoundError ||
    error instanceof CannotExecuteNotConnectedError;
  if (isAway) return true;
  const { code, message, driverError, errors } = error as Record<string, unknown>;
  if (typeof code === 'string') {
    if (CODES_AWAY.some((away) => away.test(code)) || MYSQL_AWAY.has(code)) return true;
  } else if (typeof message === 'string' && SAID_AWAY.test(message)) return true;
  // a query's failure holds the driver's, and that of connecting to a name one for each of its addresses
  const within = Array.isArray(errors) ? (errors as unknown[]) : [driverError];
  return within.some((inner) => inner !== error && isDatabaseAway(inner));
}
