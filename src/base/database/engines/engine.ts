/** A statement that one engine runs again and again, in its own best way. */
export interface PreparedStatement {
  /** The rows that it returns. */
  all(parameters: unknown[]): Promise<object[]>;
  /** How many rows it has changed, or, in an UPDATE, matched. */
  run(parameters: unknown[]): Promise<number>;
  /** Gives back what it holds. */
  close?(): Promise<void>;
}

/** What one kind of database does in its own way. SQL comes with `?` for its parameters. */
export interface Engine {
  prepare(sql: string): PreparedStatement;
  /** Whether an UPDATE says what it has changed (RETURNING). */
  readonly returnsRows: boolean;
  /** Runs what writes, one after the other. Left out: statements may write side by side. */
  inTurn?<T>(write: () => Promise<T>): Promise<T>;
  /** Hears of a statement that failed for good. */
  failed?(error: unknown): void;
  /** Whether a SELECT can pass over rows that somebody else is deleting (FOR UPDATE SKIP LOCKED). */
  readonly skipsLocked: boolean;
}
