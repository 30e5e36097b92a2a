import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { codeOf } from '../faults.js';
import type { Engine, PreparedStatement } from './engine.js';

interface Result {
  rows: object[];
  rowCount: number | null;
}

/** What a server says that has become a read-only standby. */
const READ_ONLY = '25006';

/** The part of pg's Pool that we use. */
interface Pool {
  readonly idleCount: number;
  connect(): Promise<{ release(destroy: true): void }>;
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

  /** A server that was switched to standby keeps its connections: none is used again, and new ones find the primary. */
  failed(error: unknown): void {
    if (codeOf(error) !== READ_ONLY) return;
    for (let n = this.pool.idleCount; n > 0; n--) {
      this.pool.connect().then(
        (client) => client.release(true),
        () => undefined, // it is away now, and that is what the next one hears
      );
    }
  }

  /** The one that writes, where there are several. */
  private get pool(): Pool {
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }
}
