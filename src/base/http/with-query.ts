/** A URI with parameters added to its query, which is otherwise kept to the letter (RFC 6749 §3.1.2). */
export function withQuery(uri: string, values: Record<string, string>): string {
  const query = new URLSearchParams(values).toString();
  if (query === '') return uri;
  return `${uri}${!uri.includes('?') ? '?' : /[?&]$/.test(uri) ? '' : '&'}${query}`;
}
