import type { Engine, PreparedStatement } from './engines/engine.js';
import type { Naming } from './naming.js';
import type { Patience } from './patience.js';

/** One SQL statement of the hot path, with `?` for its parameters, in the names of our entities. */
export class Statement<Row extends object> {
  private readonly prepared: PreparedStatement;
  private readonly writes: boolean;

  constructor(
    engine: Engine,
    private readonly naming: Naming,
    sql: string,
    private readonly patience: Patience,
  ) {
    this.prepared = engine.prepare(naming.sql(sql));
    this.writes = !sql.startsWith('SELECT');
  }

  /** The rows that it returns; booleans and 64-bit numbers as the database has them. */
  async all(parameters: unknown[]): Promise<Row[]> {
    const attempt = () => this.prepared.all(parameters);
    const rows = await (this.writes ? this.patience.write(attempt) : this.patience.read(attempt));
    return this.naming.rows(rows) as Row[];
  }

  /** How many rows it has changed, or, in an UPDATE, matched. */
  run(parameters: unknown[]): Promise<number> {
    return this.patience.write(() => this.prepared.run(parameters));
  }

  async close(): Promise<void> {
    await this.prepared.close?.();
  }
}

/** A conditional UPDATE of one row, found by its `id`, that tells what is in the row then. */
export interface RowChange<Row extends object> {
  /** @returns undefined where the condition did not hold: nothing has changed */
  run(parameters: unknown[], id: string): Promise<Row | undefined>;
}
