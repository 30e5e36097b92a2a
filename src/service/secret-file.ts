import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SettingsError } from './environment.js';
import { generateSecret } from '../base/crypto/service-secret.js';

/** Where a service without AUTH_SECRET keeps the one it made. */
export const SECRET_FILE = 'data/auth.secret';

export function secretIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${code})`, { cause });
  }
  const secret = text.trim();
  if (secret === '') throw new Error(`${file} is empty`);
  if (secret.length < 32) throw new Error(`${file} must hold at least 32 characters`);
  return secret;
}

/**
 * The secret in the file; where there is no file yet, a new one, readable by its owner alone.
 * @throws Error where there is none, and none may be made
 */
export function secretFromFile(mayMake: boolean, file = SECRET_FILE): string {
  if (!mayMake && !existsSync(file)) throw new SettingsError('AUTH_SECRET', `is not set, and there is no ${file}`);
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, `${generateSecret()}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length < 32) throw new Error(`${file} does not hold a secret of at least 32 characters`);
  return secret;
}
