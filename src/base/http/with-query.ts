import { type AuthError, badField } from '../errors/auth.error.js';

/**
 * Longest address that we send a browser to with what its client wrote, in characters. With what we add, and the other
 * headers, the answer stays within 4 KiB: a page of memory, which is what nginx keeps for it by default.
 */
const MAX_ADDRESS = 2560;

/** Whether a client's `state` leaves room for the answer at its URI, as it is encoded there. */
export function leavesRoom(uri: string, state: string | undefined): boolean {
  return state === undefined || withQuery(uri, { state }).length <= MAX_ADDRESS;
}

/** What is said of one that does not. */
export function noRoom(uriName: string): AuthError {
  return badField(
    'state',
    'PARAMETER_TOO_LONG',
    `must fit, encoded, into ${MAX_ADDRESS} characters together with ${uriName}`,
  );
}

/** A URI with parameters added to its query, which is otherwise kept to the letter (RFC 6749 §3.1.2). */
export function withQuery(uri: string, values: Record<string, string>): string {
  const query = new URLSearchParams(values).toString();
  if (query === '') return uri;
  return `${uri}${!uri.includes('?') ? '?' : /[?&]$/.test(uri) ? '' : '&'}${query}`;
}
