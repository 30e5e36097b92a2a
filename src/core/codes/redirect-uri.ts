/** An http URI of a loopback address (RFC 8252 §7.3), in three parts: before, port, after. */
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::(\d{1,5}))?((?:[/?].*)?)$/;

/**
 * Whether a redirect_uri is one of the registered ones, compared as strings (RFC 9700 §2.1): nothing is parsed, decoded
 * or normalized, so no two readings of one URI can differ. A registered loopback address stands for each of its ports,
 * because a native app takes the one that it gets (RFC 8252 §7.3); `localhost` does not (§8.3).
 */
export function isRegistered(registered: readonly string[], presented: string): boolean {
  if (registered.includes(presented)) return true;
  const [, origin, port, rest] = LOOPBACK.exec(presented) ?? [];
  if (origin === undefined || Number(port ?? 80) > 65_535) return false;
  return registered.some((uri) => {
    const [, registeredOrigin, , registeredRest] = LOOPBACK.exec(uri) ?? [];
    return registeredOrigin === origin && registeredRest === rest;
  });
}

/**
 * Whether what answers there is beyond doubt the client (RFC 8252 §8.6): any app on the user's device may listen on a
 * loopback port or claim a private-use scheme, but only its owner answers for an https host.
 */
export function provesClient(redirectUri: string): boolean {
  return redirectUri.startsWith('https://');
}

/**
 * What a form's page says in `form-action` so that the browser lets its answer be redirected there (CSP Level 3 §6.4.1):
 * the origin, or the scheme where there is none, or none that CSP could name.
 */
export function formActionOf(redirectUri: string): string {
  const { protocol, hostname, origin } = new URL(redirectUri);
  return /^https?:$/.test(protocol) && !hostname.startsWith('[') ? origin : protocol;
}
