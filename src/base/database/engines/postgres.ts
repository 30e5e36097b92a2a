import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Engine, PreparedStatement } from './engine.js';

interface Result {
  rows: object[];
  rowCount: number | null;
}

/** The part of pg's Pool that we use. */
interface Pool {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<Result>;
}

/** PostgreSQL by pg: each connection of the pool prepares a statement when it is first asked for it, under its name. */
export class Postgres implements Engine {
  readonly returnsRows = true;
  readonly skipsLocked = true;

  constructor(private readonly dataSource: DataSource) {}

  prepare(sql: string): PreparedStatement {
    let n = 0;
    const text = sql.replaceAll('?', () => `$${++n}`);
    const name = `auth_${hash('sha256', text, 'base64url').slice(0, 16)}`;
    const query = (values: unknown[]) => this.pool.query({ name, text, values });
    return {
      all: async (parameters) => (await query(parameters)).rows,
      run: async (parameters) => (await query(parameters)).rowCount ?? 0,
    };
  }

  /** The one that writes, where there are several. */
  private get pool(): Pool {
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }
}
