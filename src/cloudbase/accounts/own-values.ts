import { badField } from '../../base/errors/auth.error.js';
import { missing } from '../../base/http/rules.js';
import { NewPassword, Username } from '../../core/users/rules.js';
import type { OwnValues } from '../../core/users/user.service.js';
import { isChosenUsername, normalizeUsername } from '../../core/users/username.js';
import { DisplayName, Gender, Locale, Picture } from '../rules.js';

/** What users may say about themselves. */
export class OwnParameters {
  @Username()
  username?: string;

  @DisplayName()
  name?: string;

  @Picture()
  picture?: string;

  @Gender()
  gender?: string;

  @Locale()
  locale?: string;
}

export class NewPasswordParameters {
  @NewPassword()
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
  if (value === undefined) throw missing(field);
  return value;
}
