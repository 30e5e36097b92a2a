import { stat } from 'node:fs/promises';
import type { AuthDatabase } from '../base/database/auth-database.js';

/** Injection token: nothing; there once the database has been looked at. */
export const PROBED = Symbol('nest-auth probed database');

/** Larger files are not read through, in bytes. */
const SMALL = 64 * 1024 * 1024;

/**
 * Looks at the file of a database that is to be written to for long, and writes to it once.
 * @throws Error where it is corrupt, or cannot be written to for another reason than that somebody else writes
 */
export async function probe({ path, dataSource }: AuthDatabase): Promise<void> {
  if (path === undefined) return; // a server looks after its own
  if ((await stat(path)).size <= SMALL) {
    const [{ quick_check: found }] = await dataSource.query<[{ quick_check: string }]>('PRAGMA quick_check(1)');
    if (found !== 'ok') throw new Error(`SQLITE_CORRUPT: ${found}`);
  }
  const [{ user_version: version }] = await dataSource.query<[{ user_version: number }]>('PRAGMA user_version');
  try {
    await dataSource.query(`PRAGMA user_version = ${version}`);
  } catch (error) {
    if (!String(error).includes('SQLITE_BUSY')) throw error;
  }
}
