import { type QueryRunner, Table, TableColumn, type TableColumnOptions, TableIndex } from 'typeorm';
import { quotedPath } from './naming.js';

/** What MySQL says where a step was done before: it commits each by itself, so a migration may have ended half-way. */
const DONE_BEFORE = new Set([
  'ER_TABLE_EXISTS_ERROR',
  'ER_DUP_FIELDNAME',
  'ER_DUP_KEYNAME',
  'ER_CANT_DROP_FIELD_OR_KEY',
  'ER_BAD_TABLE_ERROR',
]);

/** Columns by what they mean; each takes its name. Strings have a greatest length in characters. */
export const column = {
  id: (name: string, length: number): TableColumnOptions => ({ ...column.text(name, length), isPrimary: true }),
  text: (name: string, length: number): TableColumnOptions => ({ name, type: 'varchar', length: String(length) }),
  words: (name: string): TableColumnOptions => ({ name, type: 'text' }),
  moment: (name: string): TableColumnOptions => ({ name, type: 'bigint' }),
  integer: (name: string): TableColumnOptions => ({ name, type: 'integer' }),
  /** `preset`: what it is where nobody says it; left out: it has to be said. */
  flag: (name: string, preset?: boolean): TableColumnOptions => ({ name, type: 'boolean', default: preset }),
};

export function nullable(options: TableColumnOptions): TableColumnOptions {
  return { ...options, isNullable: true };
}

/** What a migration does to our tables, by the names of our own: each data source has others for them. */
export class Tables {
  constructor(private readonly runner: QueryRunner) {}

  /** @param indices column, or columns, by the index's name */
  async create(
    name: string,
    columns: TableColumnOptions[],
    indices: Record<string, string | string[]> = {},
  ): Promise<void> {
    const table = new Table({ name: this.table(name), columns: columns.map((one) => this.column(one)) });
    // Two nodes can start at once: where there is one already, the other's run is to fail here, and to be tried again.
    await this.once(() => this.runner.createTable(table));
    for (const [index, of] of Object.entries(indices)) await this.index(name, index, of);
  }

  has(name: string): Promise<boolean> {
    return this.runner.hasTable(this.table(name));
  }

  async drop(...names: string[]): Promise<void> {
    for (const name of names) await this.runner.dropTable(this.table(name), true);
  }

  async add(table: string, ...columns: TableColumnOptions[]): Promise<void> {
    for (const options of columns) {
      await this.once(() => this.runner.addColumn(this.table(table), new TableColumn(this.column(options))));
    }
  }

  async remove(table: string, ...columns: string[]): Promise<void> {
    for (const name of columns) await this.runner.dropColumn(this.table(table), this.columnName(name));
  }

  /** @param name begins with `uq_` where what is in it is unique, else with `ix_` */
  async index(table: string, name: string, columns: string | string[]): Promise<void> {
    const columnNames = [columns].flat().map((each) => this.columnName(each));
    const index = new TableIndex({ name, columnNames, isUnique: name.startsWith('uq_') });
    await this.once(() => this.runner.createIndex(this.table(table), index));
  }

  async dropIndex(table: string, name: string): Promise<void> {
    const there = await this.runner.getTable(this.table(table));
    if (there?.indices.some((index) => index.name === name)) await this.runner.dropIndex(there, name);
  }

  /** @param sql with `?` for its parameters, in our own names */
  run<T = unknown>(sql: string, parameters: unknown[] = []): Promise<T> {
    let n = 0;
    const { connection } = this.runner;
    const text = sql.replace(/'[^']*'|\?|\b[a-z][a-z_]*\b/g, (part) => {
      if (part === '?') return connection.options.type === 'postgres' ? `$${++n}` : '?';
      if (part.startsWith("'")) return part;
      return quotedPath(connection, part.startsWith('auth_') ? this.table(part) : this.columnName(part));
    });
    return this.runner.query(text, parameters) as Promise<T>;
  }

  private table(name: string): string {
    const { namingStrategy, options } = this.runner.connection;
    const { schema, entityPrefix } = options as { schema?: string; entityPrefix?: string };
    const own = namingStrategy.tableName(name, name);
    const prefixed = entityPrefix ? namingStrategy.prefixTableName(entityPrefix, own) : own;
    return schema === undefined ? prefixed : `${schema}.${prefixed}`;
  }

  private column(options: TableColumnOptions): TableColumnOptions {
    const isMysql = /^(mysql|mariadb)$/.test(this.runner.connection.options.type);
    const type = isMysql && options.type === 'boolean' ? 'tinyint' : options.type; // what TypeORM calls one there
    return { ...options, type, name: this.columnName(options.name), default: this.preset(options.default) };
  }

  private columnName(name: string): string {
    return this.runner.connection.namingStrategy.columnName(name, undefined, []);
  }

  /** Only PostgreSQL has booleans. */
  private preset(value: unknown): unknown {
    if (typeof value !== 'boolean') return value;
    return this.runner.connection.options.type === 'postgres' ? String(value) : String(Number(value));
  }

  private async once(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!DONE_BEFORE.has((error as { driverError?: { code?: string } }).driverError?.code ?? '')) throw error;
    }
  }
}
