import { CannotExecuteNotConnectedError, ConnectionIsNotSetError } from 'typeorm';

const SQLITE_AWAY = new Set([
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_NOMEM',
  'SQLITE_READONLY',
  'SQLITE_INTERRUPT',
  'SQLITE_IOERR',
  'SQLITE_CORRUPT',
  'SQLITE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_PROTOCOL',
  'SQLITE_NOTADB',
  'SQLITE_MISUSE',
]);

/** Disk and socket failures, and the classes of SQLSTATE that mean "not now": connection, resources, operator, serialization. */
const NETWORK_AWAY =
  /^(E(BADF|IO|NOSPC|CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NOTFOUND)|(08|53|57|40)[0-9A-Z]{3})$/;

const DUPLICATE = new Set(['SQLITE_CONSTRAINT', 'SQLITE_CONSTRAINT_UNIQUE', '23505', 'ER_DUP_ENTRY']);

/** Whether a write was refused because a unique value is taken. */
export function isDuplicate(error: unknown): boolean {
  const { code } = ((error as { driverError?: object } | null)?.driverError ?? {}) as { code?: string };
  return code !== undefined && DUPLICATE.has(code);
}

/** Whether this failure says that the database is away or too busy, rather than that we asked it something wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof ConnectionIsNotSetError || error instanceof CannotExecuteNotConnectedError) return true;
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: unknown };
  if (typeof code === 'string' && (SQLITE_AWAY.has(code) || NETWORK_AWAY.test(code))) return true;
  return driverError !== undefined && driverError !== error && isDatabaseAway(driverError);
}
