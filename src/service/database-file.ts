import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFile } from '../base/database/own/bring-up-to-date.js';
import { databaseOf } from '../base/database/own/database-url.js';
import { explained, refused } from '../base/database/own/file-problems.js';

/** What may be done where there is no database: make one, make one where it cannot be a mistyped name, or nothing. */
export type NewDatabase = 'make' | 'make-first' | 'refuse';

/** Injection token: the absolute path of the database that this start made; undefined where there was one. */
export const MADE_DATABASE = Symbol('nest-auth made database');

/** Entries of a folder that are looked at for another database. */
const LOOK_AT = 1000;
const SQLITE = 'SQLite format 3';

/**
 * Makes sure that there is a file where the database is one, readable by its owner alone where it is new.
 * @returns its absolute path where it was made now
 * @throws OptionError
 */
export function prepareFile(databaseUrl: string, newDatabase: NewDatabase): string | undefined {
  const database = databaseOf(databaseUrl);
  if (database.type !== 'sqlite') return undefined;
  const { file } = database;
  try {
    if (existsSync(file)) {
      if (!statSync(file).isFile()) throw refused(file, 'is no file');
      closeSync(openSync(file, 'r+'));
      return undefined;
    }
    if (newDatabase === 'refuse') throw refused(file, 'does not exist; `nest-auth database migrate` makes it');
    if (newDatabase === 'make-first') checkFirst(file);
    makeFile(file);
    return resolve(file);
  } catch (error) {
    throw explained(error, file);
  }
}

/** A first database lies in a folder that somebody made for it, and in which there is no other. */
function checkFirst(file: string): void {
  const folder = dirname(file);
  const hint = '`nest-auth database migrate` makes it';
  if (!existsSync(folder)) throw refused(file, `does not exist, nor does its folder; ${hint}`);
  const other = readdirSync(folder)
    .slice(0, LOOK_AT)
    .find((name) => isDatabase(join(folder, name)));
  if (other !== undefined) throw refused(file, `does not exist, though ${other} lies beside it; ${hint}`);
}

function isDatabase(file: string): boolean {
  try {
    if (!statSync(file).isFile()) return false;
    const descriptor = openSync(file, 'r');
    const head = Buffer.alloc(SQLITE.length);
    readSync(descriptor, head);
    closeSync(descriptor);
    return head.toString('latin1') === SQLITE;
  } catch {
    return false;
  }
}
