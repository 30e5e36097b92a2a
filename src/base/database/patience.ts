/** Milliseconds between two attempts, the last of them again and again: what SQLite's own busy handler waits. */
const PAUSES = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50];

export type Done = (this: unknown, error: Error | null, ...results: unknown[]) => void;

/**
 * Makes an attempt on SQLite again while somebody else has locked the database, for at most `patience` milliseconds from
 * now. SQLite's own way of waiting would hold the connection, and everybody who only wants to read would wait along.
 */
export function patiently(patience: number, attempt: (done: Done) => void, done: Done): void {
  const deadline = performance.now() + patience;
  let attempts = 0;
  const again = () =>
    attempt(function (error, ...results) {
      const pause = PAUSES[Math.min(attempts++, PAUSES.length - 1)]!;
      if (!isLocked(error) || performance.now() + pause > deadline) return done.call(this, error, ...results);
      setTimeout(again, pause);
    });
  again();
}

/** The part of sqlite3's Database that TypeORM runs its statements by. */
export interface SqliteConnection {
  run(sql: string, parameters: unknown, done: Done): unknown;
  all(sql: string, parameters: unknown, done: Done): unknown;
}

/** Has every statement of a connection wait in that way. */
export function makePatient(connection: SqliteConnection, patience: number): void {
  for (const method of ['run', 'all'] as const) {
    const original = connection[method].bind(connection);
    connection[method] = (sql, parameters, done) =>
      patiently(patience, (attemptDone) => original(sql, parameters, attemptDone), done);
  }
}

function isLocked(error: Error | null): boolean {
  return (error as { code?: string } | null)?.code === 'SQLITE_BUSY';
}
