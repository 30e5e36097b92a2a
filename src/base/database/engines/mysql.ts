import type { DataSource } from 'typeorm';
import type { Engine, PreparedStatement } from './engine.js';

type Result = object[] | { affectedRows: number };

/** The part of mysql2's Pool, and of one of its cluster's, that we use. */
interface Pool {
  execute(sql: string, parameters: unknown[], done: (error: Error | null, result: Result) => void): void;
}

interface Driver {
  pool?: Pool;
  poolCluster?: { of(name: string): Pool };
}

/** MySQL and MariaDB by mysql2: each connection of the pool prepares a statement when it is first asked for it. */
export class Mysql implements Engine {
  readonly returnsRows = false;
  readonly skipsLocked = false;

  constructor(private readonly dataSource: DataSource) {}

  prepare(sql: string): PreparedStatement {
    return {
      all: (parameters) => this.execute(sql, parameters, (result) => result as object[]),
      run: (parameters) => this.execute(sql, parameters, (result) => (result as { affectedRows: number }).affectedRows),
    };
  }

  private execute<T>(sql: string, parameters: unknown[], read: (result: Result) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.pool.execute(sql, parameters, (error, result) => (error ? reject(error) : resolve(read(result))));
    });
  }

  /** The one that writes, where there are several. */
  private get pool(): Pool {
    const { pool, poolCluster } = this.dataSource.driver as Driver;
    const writing = pool ?? poolCluster?.of('MASTER');
    if (!writing) throw new Error('Connection is not established with mysql database'); // TypeORM's words
    return writing;
  }
}
