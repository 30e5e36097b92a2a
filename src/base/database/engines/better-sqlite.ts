import type { DataSource } from 'typeorm';
import type { Engine, PreparedStatement } from './engine.js';

/** The parts of better-sqlite3's Statement and Database that we use. */
interface SyncStatement {
  readonly reader: boolean;
  all(...parameters: unknown[]): object[];
  run(...parameters: unknown[]): { changes: number };
}
interface SyncConnection {
  prepare(sql: string): SyncStatement;
}

/** SQLite by better-sqlite3, which answers at once. */
export class BetterSqlite implements Engine {
  readonly returnsRows = true;
  readonly skipsLocked = false;

  constructor(private readonly dataSource: DataSource) {}

  prepare(sql: string): PreparedStatement {
    let prepared: SyncStatement | undefined;
    const statement = () => {
      const { driver } = this.dataSource as unknown as { driver: { databaseConnection: SyncConnection } };
      return (prepared ??= driver.databaseConnection.prepare(sql));
    };
    return {
      all: async (parameters) => Promise.resolve(statement().all(...parameters.map(bindable))),
      run: async (parameters) => Promise.resolve(statement().run(...parameters.map(bindable)).changes),
    };
  }
}

/** It binds no booleans. */
function bindable(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}
