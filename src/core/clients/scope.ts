import { AuthError } from '../../base/errors/auth.error.js';
import { type Format, Text } from '../../base/http/rules.js';
import type { Client } from './client.entity.js';

/** RFC 6749 §3.3, with single spaces between the words. */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** Longest scope parameter, in characters. */
export const MAX_SCOPE = 1024;

export const SCOPE_FORMAT = {
  pattern: SCOPE,
  description: 'must be words separated by single spaces',
  refusal: { code: 'invalid_scope', reason: 'SCOPE_MALFORMED' }, // RFC 6749 §4.1.2.1, §5.2
} satisfies Format;

/** The parameter `scope`, which may be left out. */
export const Scope = () => Text({ max: MAX_SCOPE, format: SCOPE_FORMAT });

/** Whether a scope is no less than what the client gets when it asks for none. */
export function isWholeScope({ default_scope }: Client, scope: string[]): boolean {
  return default_scope.length === 0 ? scope.length === 0 : default_scope.every((word) => scope.includes(word));
}

/** A scope parameter as a list of different words; undefined: it was left out. */
export function parseScope(scope: string | undefined): string[] | undefined {
  return scope === undefined ? undefined : [...new Set(scope.split(' '))];
}

/** What of a scope that was given before its client may still have. */
export function stillAllowed(client: Client, scope: string[]): string[] {
  return scope.filter((word) => client.scopes.includes(word));
}

/**
 * The scope that a client gets for what it asks.
 * @throws AuthError invalid_scope where it asks for more than it may have
 */
export function grantScope(client: Client, asked: string | undefined): string[] {
  const scope = parseScope(asked);
  if (!scope) return client.default_scope;
  if (!scope.every((word) => client.scopes.includes(word))) {
    throw new AuthError('invalid_scope', { reason: 'SCOPE_NOT_ALLOWED' });
  }
  return scope;
}
