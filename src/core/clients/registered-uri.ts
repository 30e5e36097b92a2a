/** Longest URI that is registered, in characters. */
const MAX_URI = 2048;

/** RFC 3986 §2: what a URI consists of. */
const URI = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;
/** The scheme and, behind two slashes, the authority (RFC 3986 §3); a scheme as it is compared, in lower case. */
const PARTS = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?/;
/** RFC 8252 §7.3; and `localhost`, which is §8.3's to advise against and everybody's to develop with. */
const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?$/;

/**
 * What is wrong with a URI that a browser shall be sent to, in the words of a field's description; undefined: nothing.
 * It is compared as a string ever after, so that string has to be one that every browser reads in the same way.
 */
export function uriProblem(uri: string): string | undefined {
  if (uri.length > MAX_URI) return `must have at most ${MAX_URI} characters`;
  if (!URI.test(uri)) return 'must be an absolute URI in ASCII, without spaces';
  const [, scheme, authority] = PARTS.exec(uri) ?? [];
  if (scheme === undefined || !URL.canParse(uri)) return 'must be an absolute URI';
  if (uri.includes('#')) return 'must not have a fragment'; // RFC 6749 §3.1.2
  if (uri.includes('*')) return 'must not have a wildcard'; // RFC 9700 §2.1: exact matching
  if (authority?.includes('@')) return 'must not have a user name';
  if (scheme === 'https') return authority ? undefined : 'must name a host';
  // RFC 9700 §2.6
  if (scheme === 'http') return LOOPBACK.test(authority ?? '') ? undefined : 'must be https, but for a loopback host';
  // RFC 8252 §7.1: a domain name of the app's owner, reversed. Neither javascript: nor any other of the browser's own.
  return scheme.includes('.') ? undefined : 'must be https, or a private-use scheme such as com.example.app:';
}
