/**
 * What a request's URI may look like from outside, without query and fragment. Never by its Host header: whoever
 * replays a proof chooses that. A proxy may have taken the base's own path away, and may not.
 * @param sent the URI as it was sent
 * @param bases public URLs of this service
 */
export function requestUris(sent: string, bases: string[]): string[] {
  const path = sent.replace(/[?#].*$/s, '');
  return bases
    .flatMap((base) => {
      const { origin, pathname } = new URL(base);
      return [origin + path, origin + pathname.replace(/\/$/, '') + path];
    })
    .map(normalizedUri)
    .filter((uri) => uri !== undefined);
}

/** A URI without query and fragment, in the one spelling of RFC 3986 §6.2.2 and §6.2.3; undefined: it is none. */
export function normalizedUri(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  url.search = '';
  url.hash = '';
  return url.href;
}
