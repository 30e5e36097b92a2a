import type { Limit } from '../../base/auth.options.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Reason } from '../../base/errors/error-table.js';

/**
 * What is said where a budget has no request left.
 * @param wait seconds until it has one; nobody is told to wait for longer than the whole budget takes to come back
 */
export function exhausted(
  name: string,
  { requests, seconds }: Exclude<Limit, false>,
  wait: number,
  reason: Reason<'resource_exhausted'>,
): AuthError {
  const retryAfter = Math.min(Math.max(1, Math.ceil(wait)), seconds);
  return new AuthError('resource_exhausted', {
    reason,
    retryAfter,
    // draft-ietf-httpapi-ratelimit-headers
    headers: {
      RateLimit: `"${name}";r=0;t=${retryAfter}`,
      'RateLimit-Policy': `"${name}";q=${requests};w=${seconds}`,
    },
  });
}
