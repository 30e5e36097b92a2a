import type { DataSource } from 'typeorm';
import type { Engine, PreparedStatement } from './engine.js';

type Done = (this: { changes: number }, error: Error | null, rows: object[]) => void;

/** The parts of sqlite3's Statement and Database that we use. */
interface SqliteStatement {
  all(parameters: unknown[], done: Done): void;
  run(parameters: unknown[], done: Done): void;
  reset(done: () => void): void;
  finalize(done: () => void): void;
}

interface SqliteConnection {
  prepare(sql: string, done: (error: Error | null) => void): SqliteStatement;
}

/** TypeORM's statements are finalized right after the callback that told of their failure. */
const ended = () => new Promise<void>((resolve) => setImmediate(resolve));

/** SQLite by sqlite3: half the CPU of the same statement through TypeORM's query runner. */
export class Sqlite implements Engine {
  readonly returnsRows = true;
  readonly skipsLocked = false;

  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly dataSource: DataSource) {}

  /**
   * A write that the lock of another connection refused stays under way until its statement is reset. What else this
   * connection writes meanwhile is not committed, though SQLite says it is done, and goes with the reset. So there is
   * one at a time, and it has ended before the next begins.
   */
  inTurn<T>(write: () => Promise<T>): Promise<T> {
    const turn = this.last.then(write);
    this.last = turn.catch(ended);
    return turn;
  }

  prepare(sql: string): PreparedStatement {
    let preparing: Promise<SqliteStatement> | undefined;
    const prepared = () =>
      (preparing ??= this.compile(sql).catch((error: unknown) => {
        preparing = undefined; // the next call tries again
        throw error;
      }));
    return {
      all: async (parameters) => {
        const statement = await prepared();
        return new Promise((resolve, reject) => {
          statement.all(parameters, (error, rows) => {
            if (error) statement.reset(() => reject(error));
            else resolve(rows);
          });
        });
      },
      run: async (parameters) => {
        const statement = await prepared();
        return new Promise((resolve, reject) => {
          statement.run(parameters, function (error) {
            if (error) statement.reset(() => reject(error));
            else resolve(this.changes);
          });
        });
      },
      close: async () => {
        const statement = await preparing?.catch(() => undefined);
        if (statement) await new Promise<void>((resolve) => statement.finalize(resolve));
      },
    };
  }

  private compile(sql: string): Promise<SqliteStatement> {
    const { driver } = this.dataSource as unknown as { driver: { databaseConnection: SqliteConnection } };
    return new Promise((resolve, reject) => {
      // without a callback, a failure would be an event that nobody listens to, and end the process
      const statement = driver.databaseConnection.prepare(sql, (error) => (error ? reject(error) : resolve(statement)));
    });
  }
}
