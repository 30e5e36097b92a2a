import { OptionError } from '../../auth.options.js';

/** What is wrong with the file, by what its opening failed with. */
const PROBLEMS: [RegExp, string][] = [
  [/SQLITE_NOTADB/, 'is no SQLite database'],
  [/SQLITE_CORRUPT/, 'is corrupt: restore a backup'],
  [/SQLITE_READONLY|\bEROFS\b/, 'is read-only'],
  [/SQLITE_FULL|\bENOSPC\b/, 'cannot grow: the disk is full'],
  [/SQLITE_IOERR/, 'cannot be read or written: the disk fails, or is full'],
  [/SQLITE_(BUSY|LOCKED)/, 'is locked by another process'],
  [/SQLITE_CANTOPEN/, 'cannot be opened, or its folder not be written to'],
  [/\bE(ACCES|PERM)\b/, 'is not for this user to write'],
  [/\bE(NOTDIR|EXIST)\b/, 'lies below something that is no folder'],
  [/\bEISDIR\b/, 'is a folder'],
];

/** The same failure; as one of the option databaseUrl where it is about the file. */
export function explained(error: unknown, file: string): unknown {
  if (error instanceof OptionError) return error;
  const said = `${(error as { code?: string } | null)?.code ?? ''} ${String(error)}`; // better-sqlite3 says it by the code
  const problem = PROBLEMS.find(([sign]) => sign.test(said))?.[1];
  return problem === undefined ? error : refused(file, problem);
}

export function refused(file: string, problem: string): OptionError {
  return new OptionError('databaseUrl', `${file} ${problem}`);
}
