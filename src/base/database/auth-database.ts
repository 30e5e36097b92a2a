import { type FileHandle, open } from 'node:fs/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  DataSource,
  type EntityTarget,
  type FindOptionsSelect,
  type FindOptionsWhere,
  In,
  type ObjectLiteral,
  type Repository,
} from 'typeorm';
import { compareBytes } from './collation.js';
import { DatabaseFile } from './database-file.js';
import { bringUpToDate, unusable } from './own/bring-up-to-date.js';
import { dataSourceOptions } from './own/data-source-options.js';
import { isFile, sqliteOptions } from './own/sqlite-options.js';
import { BetterSqlite } from './engines/better-sqlite.js';
import type { Engine } from './engines/engine.js';
import { Mysql } from './engines/mysql.js';
import { Postgres } from './engines/postgres.js';
import { Sqlite } from './engines/sqlite.js';
import { Heartbeat } from './heartbeat.entity.js';
import { Naming, quotedPath } from './naming.js';
import { Patience, patientRepository } from './patience.js';
import type { EntityClass, Schema } from './schema.js';
import { type RowChange, Statement } from './statement.js';

/** Bytes that SQLite's write-ahead log keeps once it is done with them. */
export const WAL_LIMIT = 16 * 1024 * 1024;

/** How many rows one statement deletes where all that match are to go. */
export const BATCH = 200;

/** Milliseconds for which a statement is tried again that another writer was in the way of. */
const PATIENCE = 2000;

const ENGINES = {
  postgres: Postgres,
  mysql: Mysql,
  mariadb: Mysql,
  sqlite: Sqlite,
  'better-sqlite3': BetterSqlite,
} satisfies Record<string, new (dataSource: DataSource) => Engine>;

type EngineType = keyof typeof ENGINES;

/**
 * The module's way to the database. On PostgreSQL and MySQL it is the host's data source. On SQLite, where TypeORM
 * has one connection per data source, it is a connection of our own to the host's file: a transaction of the host
 * could otherwise take our writes with it when it rolls back.
 */
@Injectable()
export class AuthDatabase implements OnApplicationShutdown {
  private readonly engine: Engine;
  private readonly naming: Naming;
  private readonly patience: Patience;
  private readonly statements: Statement<object>[] = [];
  private flushing?: Promise<void>;
  private nextFlush?: Promise<void>;
  private checking?: Promise<void>;
  /** Up to which moment a sweep that is under way has removed a table's rows. */
  private readonly sweptTo = new Map<string, number>();

  private constructor(
    readonly dataSource: DataSource,
    entities: EntityClass[],
    /** Whether nobody else works by this data source. */
    private readonly isOwn: boolean,
    milliseconds = PATIENCE,
    private readonly file?: DatabaseFile,
    private readonly wal?: FileHandle,
  ) {
    this.engine = new ENGINES[dataSource.options.type as EngineType](dataSource);
    this.naming = new Naming(dataSource, entities);
    this.patience = new Patience(this.engine, milliseconds);
  }

  /** @throws Error in one line, where the host's data source is of no use for us */
  static async open(host: DataSource, entities: EntityClass[]): Promise<AuthDatabase> {
    const { type } = host.options;
    if (!Object.hasOwn(ENGINES, type)) {
      throw new Error(
        `nest-auth works on data sources of the types ${Object.keys(ENGINES).join(', ')}; not on ${type}`,
      );
    }
    if (isFile(host.options)) return AuthDatabase.openFile(host, entities);
    return AuthDatabase.onServer(host, entities, false);
  }

  /**
   * A database that its URL names, which no data source of the host is needed for, with the newest schema.
   * @param pool connections of this process, where it is a server
   * @throws OptionError
   */
  static async own(url: string, schema: Schema, pool?: number): Promise<AuthDatabase> {
    const { entities } = schema;
    const options = await dataSourceOptions(url, schema, pool);
    await bringUpToDate(options);
    try {
      if (isFile(options)) return await AuthDatabase.openFile({ options }, entities);
      return await AuthDatabase.onServer(await new DataSource(options).initialize(), entities, true);
    } catch (error) {
      throw unusable(error, options);
    }
  }

  /** A database in memory that nobody else has, for tests. */
  static async inMemory({ entities, migrations }: Schema): Promise<AuthDatabase> {
    const own = new DataSource({ ...(await sqliteOptions(':memory:')), entities, migrations, migrationsRun: true });
    return new AuthDatabase(await own.initialize(), entities, true, PATIENCE, new DatabaseFile());
  }

  private static async onServer(server: DataSource, entities: EntityClass[], isOwn: boolean): Promise<AuthDatabase> {
    if (server.options.type !== 'postgres') await compareBytes(server, entities);
    return new AuthDatabase(server, entities, isOwn);
  }

  private static async openFile(
    { options }: Pick<DataSource, 'options'>,
    entities: EntityClass[],
  ): Promise<AuthDatabase> {
    const path = String(options.database);
    if (path === '' || path.includes(':memory:')) {
      throw new Error(
        'nest-auth needs a SQLite file: an in-memory database cannot be shared with a connection of its own',
      );
    }
    const own = await new DataSource({
      ...options,
      name: undefined,
      entities,
      migrations: [],
      subscribers: [],
      synchronize: false,
      dropSchema: false,
      migrationsRun: false,
      cache: false,
      ...{ busyTimeout: 1, timeout: 1 }, // the waiting is ours
    }).initialize();
    const waits = options as { busyTimeout?: number; timeout?: number };
    const patience = waits.busyTimeout ?? waits.timeout ?? PATIENCE;
    const waiting = new Patience(new Sqlite(own), patience);
    const query = <T>(sql: string) => waiting.write(() => own.query<T>(sql));
    const [{ journal_mode: mode }] = await query<[{ journal_mode: string }]>('PRAGMA journal_mode');
    if (mode !== 'wal') return new AuthDatabase(own, entities, true, patience, await DatabaseFile.of(path, []));
    // A commit returns once the write-ahead log is written; flush() makes it survive a power cut. See docs/decisions.md.
    await query('PRAGMA synchronous = NORMAL');
    await query(`PRAGMA journal_size_limit = ${WAL_LIMIT}`);
    await query('SELECT count(*) FROM sqlite_master'); // opens the write-ahead log
    const file = await DatabaseFile.of(path, ['-wal', '-shm']);
    return new AuthDatabase(own, entities, true, patience, file, await open(`${path}-wal`, 'r+'));
  }

  /** The path of its file; undefined: it has none. */
  get path(): string | undefined {
    const { database } = this.dataSource.options;
    return this.file && database !== ':memory:' ? String(database) : undefined;
  }

  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return patientRepository(this.dataSource.getRepository(entity), this.patience);
  }

  /** @param sql with `?` for its parameters, in the names of the entities: its tables and properties */
  statement<Row extends object>(sql: string): Statement<Row> {
    const statement = new Statement<Row>(this.engine, this.naming, sql, this.patience);
    this.statements.push(statement);
    return statement;
  }

  /**
   * A conditional UPDATE of one row. Where it cannot say itself what is in the row then, its affected count decides, and
   * a SELECT follows.
   * @param change.update without RETURNING
   * @param change.returning columns, separated by commas
   */
  rowChange<Row extends object>(change: { table: string; update: string; returning: string }): RowChange<Row> {
    if (this.engine.returnsRows) {
      const update = this.statement<Row>(`${change.update} RETURNING ${change.returning}`);
      return { run: async (parameters) => (await update.all(parameters))[0] };
    }
    const update = this.statement(change.update);
    const row = this.statement<Row>(`SELECT ${change.returning} FROM ${change.table} WHERE id = ?`);
    return {
      run: async (parameters, id) => ((await update.run(parameters)) === 1 ? (await row.all([id]))[0] : undefined),
    };
  }

  /**
   * Deletes at most `batch` rows of those that match, so that no statement holds the database for long. Where several
   * processes do so at once, each takes others, if the engine can tell them apart.
   * @param where one moment is past
   */
  async deleteSome<Entity extends ObjectLiteral>(
    repository: Repository<Entity>,
    key: keyof Entity & string,
    where: FindOptionsWhere<Entity>,
    batch: number,
  ): Promise<number> {
    if (this.engine.skipsLocked) return this.deleteNext(repository, key, where, batch);
    const rows = await repository.find({ select: { [key]: true } as FindOptionsSelect<Entity>, where, take: batch });
    if (rows.length === 0) return 0;
    // the condition once more: what has been written to meanwhile may live again
    const { affected } = await repository.delete({ ...where, [key]: In(rows.map((row) => row[key])) });
    return affected ?? 0;
  }

  /**
   * Deletes every row that matches, some at a time, so that no statement holds the database for long. Cut off, it has
   * deleted a part.
   * @param where served by an index, or about a small table
   * @param counted which of them count
   * @returns how many did
   */
  async deleteAll<Entity extends ObjectLiteral>(
    repository: Repository<Entity>,
    key: keyof Entity & string,
    where: FindOptionsWhere<Entity>,
    counted: FindOptionsWhere<Entity> = {},
  ): Promise<number> {
    for (let count = 0; ;) {
      const rows = await repository.find({ select: { [key]: true } as FindOptionsSelect<Entity>, where, take: BATCH });
      if (rows.length === 0) return count;
      const some = { [key]: In(rows.map((row) => row[key])) } as FindOptionsWhere<Entity>;
      const { affected } = await repository.delete({ ...counted, ...some });
      count += affected ?? 0;
      if (affected !== rows.length) await repository.delete(some);
    }
  }

  /**
   * Deletes by the index of the moment, each batch from where the one before it ended: until they are vacuumed, rows that
   * are deleted stay in the index, and every batch would step over all of them.
   */
  private async deleteNext<Entity extends ObjectLiteral>(
    repository: Repository<Entity>,
    key: keyof Entity & string,
    where: FindOptionsWhere<Entity>,
    batch: number,
  ): Promise<number> {
    const [moment] = Object.keys(where) as [string];
    const table = quotedPath(this.dataSource, repository.metadata.tablePath);
    const some = repository.createQueryBuilder('row').select(`row.${key}`, key).where(where);
    some.andWhere(`row.${moment} >= :from`, { from: this.sweptTo.get(table) ?? 0 });
    const [select, parameters] = some.orderBy(`row.${moment}`).limit(batch).getQueryAndParameters();
    const sql = `DELETE FROM ${table} WHERE ${this.naming.sql(key)} IN (${select} FOR UPDATE SKIP LOCKED)
      RETURNING ${this.naming.sql(moment)} AS moment`;
    const [rows, deleted] = await this.patience.write(() =>
      this.dataSource.query<[{ moment: string }[], number]>(sql, parameters),
    );
    if (deleted < batch) this.sweptTo.delete(table);
    else this.sweptTo.set(table, Math.max(...rows.map((row) => Number(row.moment))));
    return deleted;
  }

  /**
   * Resolves once everything committed before the call survives a power cut. Every write awaits it but the rotation of
   * a refresh token, which heals by itself (SessionService.advance). Calls made while one is under way share the next.
   */
  async flush(): Promise<void> {
    if (!this.wal) return;
    if (!this.flushing) return (this.flushing = this.sync());
    return (this.nextFlush ??= this.flushing.then(() => (this.flushing = this.sync())));
  }

  /**
   * Whether requests that read and write would be served now. Calls made while one is under way share its answer.
   * @throws Error that says what is wrong
   */
  check(): Promise<void> {
    return (this.checking ??= this.beat().finally(() => (this.checking = undefined)));
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.isOwn) return;
    await Promise.all(this.statements.map((statement) => statement.close()));
    await this.wal?.close();
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private async beat(): Promise<void> {
    await this.file?.checkInPlace();
    await this.repository(Heartbeat).update({ id: 1 }, { beat_at: Date.now() });
  }

  private async sync(): Promise<void> {
    this.nextFlush = undefined;
    try {
      await this.wal!.datasync();
    } finally {
      if (!this.nextFlush) this.flushing = undefined;
    }
  }
}
