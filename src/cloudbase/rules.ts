import { type Presence, PRINTABLE, Text } from '../base/http/rules.js';

/** What a verified code was exchanged for. */
export const VerificationToken = (presence?: Presence) => Text({ max: 128, ...presence });

/** What a user is called. */
export const DisplayName = () => Text({ max: 200, format: PRINTABLE });

export const Picture = () =>
  Text({ max: 2048, format: { pattern: /^https?:\/\/[\x21-\x7e]+$/, description: 'must be an http(s) URL' } });

export const Gender = () =>
  Text({ format: { pattern: /^(MALE|FEMALE|UNKNOWN)$/i, description: 'must be MALE, FEMALE or UNKNOWN' } });

export const Locale = () =>
  Text({ max: 35, format: { pattern: /^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$/, description: 'must be a language tag' } });
