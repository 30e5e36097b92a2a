import type { DataSource } from 'typeorm';
import { type Done, patiently, type SqliteConnection } from './patience.js';

/** The part of sqlite3's Statement that we use. */
interface PreparedStatement {
  all(parameters: unknown[], done: Done): void;
  finalize(done: () => void): void;
}

/**
 * One SQL statement of the hot path, with `?` for its parameters, that returns rows (an UPDATE by RETURNING).
 * On SQLite it is prepared once: half the CPU of the same statement through TypeORM's query runner.
 */
export class Statement<Row extends object> {
  private prepared?: Promise<PreparedStatement>;
  private readonly numbered: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly sql: string,
    /** Milliseconds to wait for who has locked the database. */
    private readonly patience: number,
  ) {
    let n = 0;
    this.numbered = sql.replaceAll('?', () => `$${++n}`);
  }

  async all(parameters: unknown[]): Promise<Row[]> {
    if (this.dataSource.options.type === 'sqlite') return this.allOnSqlite(parameters);
    const result = await this.dataSource.query<Row[] | [Row[], number]>(this.numbered, parameters);
    return (Array.isArray(result[0]) ? result[0] : result) as Row[]; // pg answers an UPDATE with [rows, count]
  }

  async finalize(): Promise<void> {
    const prepared = await this.prepared?.catch(() => undefined);
    if (prepared) await new Promise<void>((resolve) => prepared.finalize(resolve));
  }

  private async allOnSqlite(parameters: unknown[]): Promise<Row[]> {
    const prepared = await (this.prepared ??= this.prepare());
    return new Promise((resolve, reject) => {
      patiently(
        this.patience,
        (done) => prepared.all(parameters, done),
        (error, rows) => (error ? reject(error) : resolve(rows as Row[])),
      );
    });
  }

  private prepare(): Promise<PreparedStatement> {
    return new Promise((resolve, reject) => {
      // without a callback, a failure would be an event that nobody listens to, and end the process
      const prepared = sqliteConnection(this.dataSource).prepare(this.sql, (error) => {
        if (!error) return resolve(prepared);
        this.prepared = undefined; // the next call tries again
        reject(error);
      });
    });
  }
}

interface PreparingConnection extends SqliteConnection {
  prepare(sql: string, done: (error: Error | null) => void): PreparedStatement;
}

/** sqlite3's connection behind a data source. */
export function sqliteConnection(dataSource: DataSource): PreparingConnection {
  return (dataSource.driver as unknown as { databaseConnection: PreparingConnection }).databaseConnection;
}
