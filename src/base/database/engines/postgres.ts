import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { codeOf } from '../faults.js';
import type { Engine, PreparedStatement } from './engine.js';

interface Result {
  rows: object[];
  rowCount: number | null;
}

interface Query {
  name: string;
  text: string;
  values: unknown[];
}

/** What a server says that has become a read-only standby. */
const READ_ONLY = '25006';

/** The part of pg's Pool that we use. */
interface Pool {
  readonly idleCount: number;
  connect(): Promise<{ release(destroy: true): void }>;
  query(query: Query, done: (error: Error | undefined, result: Result) => void): void;
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
    return {
      all: (values) => this.query({ name, text, values }, ({ rows }) => rows),
      run: (values) => this.query({ name, text, values }, ({ rowCount }) => rowCount ?? 0),
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

  private query<T>(query: Query, read: (result: Result) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.pool.query(query, (error, result) => (error ? reject(error) : resolve(read(result))));
    });
  }

  /** The one that writes, where there are several. */
  private get pool(): Pool {
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }
}
