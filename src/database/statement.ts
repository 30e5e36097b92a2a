import type { DataSource } from 'typeorm';

/** The part of sqlite3's Statement that we use. */
interface PreparedStatement {
  all(parameters: unknown[], done: (error: Error | null, rows: object[]) => void): void;
  finalize(done: () => void): void;
}

/**
 * One SQL statement of the hot path, with `?` for its parameters, that returns rows (an UPDATE by RETURNING).
 * On SQLite it is prepared once: half the CPU of the same statement through TypeORM's query runner.
 */
export class Statement<Row extends object> {
  private prepared?: PreparedStatement;
  private readonly numbered: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly sql: string,
  ) {
    let n = 0;
    this.numbered = sql.replaceAll('?', () => `$${++n}`);
  }

  async all(parameters: unknown[]): Promise<Row[]> {
    if (this.dataSource.options.type === 'sqlite') return this.allOnSqlite(parameters);
    const result = await this.dataSource.query<Row[] | [Row[], number]>(this.numbered, parameters);
    return (Array.isArray(result[0]) ? result[0] : result) as Row[]; // pg answers an UPDATE with [rows, count]
  }

  finalize(): Promise<void> {
    return new Promise((resolve) => (this.prepared ? this.prepared.finalize(resolve) : resolve()));
  }

  private allOnSqlite(parameters: unknown[]): Promise<Row[]> {
    this.prepared ??= sqliteConnection(this.dataSource).prepare(this.sql);
    const prepared = this.prepared;
    return new Promise((resolve, reject) => {
      prepared.all(parameters, (error, rows) => (error ? reject(error) : resolve(rows as Row[])));
    });
  }
}

function sqliteConnection(dataSource: DataSource): { prepare(sql: string): PreparedStatement } {
  return (dataSource.driver as unknown as { databaseConnection: { prepare(sql: string): PreparedStatement } })
    .databaseConnection;
}
