import { applyDecorators } from '@nestjs/common';
import { ValidateBy } from 'class-validator';
import { type Presence, PRINTABLE, Text } from '../../base/http/rules.js';
import { normalizePassword } from './password.js';

/** Longest that we would look at, in characters; what is stored is shorter (MAX_USERNAME). */
export const MAX_SENT_USERNAME = 256;
export const MAX_PASSWORD = 1024;
const MIN_PASSWORD = 8;

/** Whatever somebody signs in under: their name, e-mail address or phone number. */
export const Username = (presence?: Presence) => Text({ max: MAX_SENT_USERNAME, ...presence });

export const Email = () => Text({ max: 256 });

export const PhoneNumber = () => Text({ max: 32 });

/** A password to be checked. */
export const Password = (presence?: Presence) => Text({ max: MAX_PASSWORD, ...presence });

/** A password that somebody chooses: NIST SP 800-63B §3.1.1.2, no rules but a length. */
export const NewPassword = () => applyDecorators(LongEnough(), Text({ max: MAX_PASSWORD, format: PRINTABLE }));

/** Counted as it is hashed, so that it is as long from every keyboard. */
const LongEnough = () =>
  ValidateBy(
    {
      name: 'minLength',
      validator: { validate: (value) => typeof value === 'string' && normalizePassword(value).length >= MIN_PASSWORD },
    },
    { message: `must be at least ${MIN_PASSWORD} characters` },
  );
