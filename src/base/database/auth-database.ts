import { type FileHandle, open } from 'node:fs/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  DataSource,
  type EntityTarget,
  type FindOptionsWhere,
  type MixedList,
  type ObjectLiteral,
  type Repository,
} from 'typeorm';
import { DatabaseFile } from './database-file.js';
import { Heartbeat } from './heartbeat.entity.js';
import { makePatient } from './patience.js';
import { sqliteConnection, Statement } from './statement.js';

/** Bytes that SQLite's write-ahead log keeps once it is done with them. */
export const WAL_LIMIT = 16 * 1024 * 1024;

/**
 * The module's way to the database. On PostgreSQL and MySQL it is the host's data source. On SQLite, where TypeORM
 * has one connection per data source, it is a connection of our own to the host's file: a transaction of the host
 * could otherwise take our writes with it when it rolls back.
 */
@Injectable()
export class AuthDatabase implements OnApplicationShutdown {
  private readonly statements: Statement<object>[] = [];
  private flushing?: Promise<void>;
  private nextFlush?: Promise<void>;
  private checking?: Promise<void>;

  private constructor(
    readonly dataSource: DataSource,
    /** Milliseconds that a statement waits for somebody else's lock, where the waiting is ours. */
    private readonly patience = 0,
    private readonly file?: DatabaseFile,
    private readonly wal?: FileHandle,
  ) {}

  static async open(host: DataSource, entities: MixedList<new () => object>): Promise<AuthDatabase> {
    const { options } = host;
    if (options.type !== 'sqlite') return new AuthDatabase(host);
    if (options.database === '' || options.database.includes(':memory:')) {
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
      // the host's ways with its own tables; ours have the names that the migrations gave them, and no stale rows
      entityPrefix: undefined,
      namingStrategy: undefined,
      cache: false,
      busyTimeout: 1, // the waiting is ours
    }).initialize();
    const patience = options.busyTimeout ?? 2000;
    makePatient(sqliteConnection(own), patience);
    const [{ journal_mode: mode }] = await own.query<[{ journal_mode: string }]>('PRAGMA journal_mode');
    if (mode !== 'wal') return new AuthDatabase(own, patience, await DatabaseFile.of(options.database, []));
    // A commit returns once the write-ahead log is written; flush() makes it survive a power cut. See docs/decisions.md.
    await own.query('PRAGMA synchronous = NORMAL');
    await own.query(`PRAGMA journal_size_limit = ${WAL_LIMIT}`);
    await own.query('SELECT count(*) FROM sqlite_master'); // opens the write-ahead log
    const file = await DatabaseFile.of(options.database, ['-wal', '-shm']);
    return new AuthDatabase(own, patience, file, await open(`${options.database}-wal`, 'r+'));
  }

  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.dataSource.getRepository(entity);
  }

  statement<Row extends object>(sql: string): Statement<Row> {
    const statement = new Statement<Row>(this.dataSource, sql, this.patience);
    this.statements.push(statement);
    return statement;
  }

  /** Deletes at most `batch` rows of those that match, so that no statement holds the database for long. */
  async deleteSome<Entity extends ObjectLiteral>(
    repository: Repository<Entity>,
    key: keyof Entity & string,
    where: FindOptionsWhere<Entity>,
    batch: number,
  ): Promise<number> {
    const rows = await repository.find({ select: [key], where, take: batch });
    if (rows.length > 0) await repository.delete(rows.map((row) => row[key]));
    return rows.length;
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
    if (this.dataSource.options.type !== 'sqlite') return; // it is the host's
    await Promise.all(this.statements.map((statement) => statement.finalize()));
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
