import { type AuthError, badField } from '../../base/errors/auth.error.js';
import { PRINTABLE } from '../../base/http/rules.js';
import { checkClientKeys } from './client-key-set.js';
import type { Client } from './client.entity.js';
import { uriProblem } from './registered-uri.js';

/** Least and most seconds of what a client may have its own of. */
export const TTL_BOUNDS = {
  access_token_ttl: [30, 86_400],
  refresh_token_ttl: [60, 315_360_000],
  refresh_retry_window: [0, 300],
} as const;

const TTLS = Object.keys(TTL_BOUNDS) as (keyof typeof TTL_BOUNDS)[];

const MAX_NAME = 200;
/** RFC 6749 appendix A.1; a space at an end would be nobody's intention. */
const ID = /^(?! )[\x20-\x7e]{1,128}(?<! )$/;
/** The form of our users' `sub`; a client's own token has its id there (RFC 9068 §5: the two must not be mixed up). */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SECRET = /^[\x20-\x7e]{32,256}$/;
/** RFC 6749 §3.3. */
const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** RFC 6749 appendix A.10: a name, or a URI. */
const GRANT_TYPE = /^[\x21-\x7e]{1,128}$/;
/** What turns the rest of a line around would make a name read like another one's on the page that asks for consent. */
const BIDI_CONTROL = /\p{Bidi_Control}/u;

/**
 * Checks what a client shall be registered with, whichever door it came by.
 * @throws AuthError invalid_argument that names the field
 */
export function checkClient(client: Client): void {
  if (!ID.test(client.id)) throw wrong('id', 'must be 1 to 128 printable ASCII characters');
  if (UUID.test(client.id)) throw wrong('id', 'must not be a UUID, for those are the ids of users');
  checkName(client.name);
  if (client.public !== (client.token_endpoint_auth_method === 'none')) {
    throw wrong('token_endpoint_auth_method', 'must be none for a public client, and for no other');
  }
  checkWords('grant_types', client.grant_types, GRANT_TYPE, 'must be names without spaces');
  checkWords('scopes', client.scopes, SCOPE_WORD, 'must be scope tokens (RFC 6749 §3.3), without spaces');
  checkWords('default_scope', client.default_scope, SCOPE_WORD, 'must be scope tokens (RFC 6749 §3.3), without spaces');
  if (!client.default_scope.every((word) => client.scopes.includes(word))) {
    throw wrong('default_scope', 'must be part of scopes');
  }
  for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    const problem = client[field].map(uriProblem).find((found) => found !== undefined);
    if (problem) throw wrong(field, problem);
  }
  for (const field of TTLS) checkTtl(field, client[field]);
  checkClientKeys(client);
}

/** @throws AuthError invalid_argument unless it may be a client's secret */
export function checkSecret(secret: string): void {
  if (!SECRET.test(secret)) throw wrong('secret', 'must be 32 to 256 printable ASCII characters');
}

function checkName(name: string): void {
  if (name.length === 0 || name.length > MAX_NAME) throw wrong('name', `must have 1 to ${MAX_NAME} characters`);
  if (!PRINTABLE.pattern.test(name) || BIDI_CONTROL.test(name)) throw wrong('name', PRINTABLE.description);
}

function checkWords(field: 'grant_types' | 'scopes' | 'default_scope', words: string[], form: RegExp, rule: string) {
  if (!words.every((word) => form.test(word))) throw wrong(field, rule);
  if (new Set(words).size < words.length) throw wrong(field, 'must name each once');
}

function checkTtl(field: keyof typeof TTL_BOUNDS, ttl: number | null): void {
  const [min, max] = TTL_BOUNDS[field];
  if (ttl === null || (Number.isInteger(ttl) && ttl >= min && ttl <= max)) return;
  throw wrong(field, `must be a whole number of seconds from ${min} to ${max}`);
}

function wrong(field: string, description: string): AuthError {
  return badField(field, 'PARAMETER_INVALID', description);
}
