import { randomBytes } from 'node:crypto';
import { link, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { AuthDatabase, WAL_LIMIT } from './auth-database.js';

/** Copies and tidies the SQLite file, beside whoever works with it. */
@Injectable()
export class DatabaseCare {
  constructor(private readonly database: AuthDatabase) {}

  /**
   * Writes a copy of the whole database as it is at one moment, for its owner's eyes alone. Readers and writers go on
   * meanwhile. The file appears once it is complete and on the disk.
   * @returns its size in bytes
   * @throws Error where there is such a file
   */
  async backup(file: string): Promise<number> {
    if (file === this.path || (await exists(file))) throw new Error(`${file} exists already`);
    const folder = dirname(file);
    const partial = join(folder, `.${basename(file)}.${randomBytes(4).toString('hex')}`);
    await (await open(partial, 'wx', 0o600)).close(); // SQLite takes an empty file, and leaves its mode alone
    try {
      await this.query('VACUUM INTO ?', [partial]);
      await sync(partial);
      await link(partial, file); // not rename(), which would replace a file that has come meanwhile
    } finally {
      await rm(partial, { force: true });
    }
    await sync(folder);
    return (await stat(file)).size;
  }

  /**
   * Gives what deleted rows have left back to the file system. Nobody else can write until it is done, and it needs as
   * much room again as the database has.
   * @returns the size of its file in bytes, before and after
   */
  async shrink(): Promise<{ before: number; after: number }> {
    await this.emptyLog();
    const { size: before } = await stat(this.path);
    await this.query('VACUUM');
    await this.emptyLog();
    return { before, after: (await stat(this.path)).size };
  }

  /** Empties a write-ahead log that a long reader let grow. Does nothing as long as there is one. */
  async boundLog(): Promise<void> {
    if (this.database.path === undefined) return;
    const log = await stat(`${this.path}-wal`).catch(() => undefined);
    if (log && log.size > WAL_LIMIT) await this.emptyLog();
  }

  private emptyLog(): Promise<unknown> {
    return this.query('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  private query(sql: string, parameters: unknown[] = []): Promise<unknown> {
    return this.database.dataSource.query(sql, parameters);
  }

  private get path(): string {
    const { path } = this.database;
    if (path === undefined) throw new Error('it is for SQLite; your database has tools of its own');
    return path;
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

/** Has a file, or what a folder lists, survive a power cut. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
