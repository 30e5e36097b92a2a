import { IsOptional, Matches, MaxLength, MinLength } from 'class-validator';
import { badField } from '../../base/errors/auth.error.js';
import type { OwnValues } from '../../core/users/user.service.js';
import { isChosenUsername, normalizeUsername } from '../../core/users/username.js';

const PRINTABLE = /^\P{Cc}*$/u;

/** What users may say about themselves. */
export class OwnParameters {
  @IsOptional()
  @MaxLength(256, { message: 'must be at most 256 characters' })
  username?: string;

  @IsOptional()
  @MaxLength(200, { message: 'must be at most 200 characters' })
  @Matches(PRINTABLE, { message: 'must not contain control characters' })
  name?: string;

  @IsOptional()
  @MaxLength(2048, { message: 'must be at most 2048 characters' })
  @Matches(/^https?:\/\/[\x21-\x7e]+$/, { message: 'must be an http(s) URL' })
  picture?: string;

  @IsOptional()
  @Matches(/^(MALE|FEMALE|UNKNOWN)$/i, { message: 'must be MALE, FEMALE or UNKNOWN' })
  gender?: string;

  @IsOptional()
  @MaxLength(35, { message: 'must be at most 35 characters' })
  @Matches(/^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$/, { message: 'must be a language tag' })
  locale?: string;
}

/** A password that somebody chooses: NIST SP 800-63B §3.1.1.2, no rules but a length. */
export class NewPasswordParameters {
  @IsOptional()
  @MinLength(8, { message: 'must be at least 8 characters' })
  @MaxLength(1024, { message: 'must be at most 1024 characters' })
  @Matches(PRINTABLE, { message: 'must not contain control characters' })
  new_password?: string;
}

/** @throws AuthError invalid_argument where the username may not be chosen */
export function ownValues({ username, name, picture, gender, locale }: OwnParameters): OwnValues {
  const values: OwnValues = { name, picture, gender: gender?.toUpperCase(), locale };
  if (username === undefined) return values;
  const normalized = normalizeUsername(username);
  if (isChosenUsername(normalized)) return { ...values, username: normalized };
  throw badField('username', 'PARAMETER_INVALID', 'must be 2 to 48 letters, digits, . _ -, a letter first');
}

/** @throws AuthError invalid_argument where there is none */
export function required<T>(field: string, value: T | undefined): T {
  if (value === undefined) throw badField(field, 'PARAMETER_MISSING', 'is required');
  return value;
}
