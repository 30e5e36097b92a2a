import type { Client } from '../core/clients/client.entity.js';

/** Grant types beyond the RFCs', each with a short name (RFC 6749 §4.5: an extension's name is a URI). */
export const ANONYMOUS = ['urn:nest-auth:grant-type:anonymous', 'anonymous'];
export const SIGN_UP = ['urn:nest-auth:grant-type:sign_up', 'sign_up'];
export const VERIFICATION = ['urn:nest-auth:grant-type:verification', 'verification'];

/** The whole scope of an anonymous user's tokens; the SDK knows them by it. */
export const ANONYMOUS_SCOPE = 'anonymous';

const SIGNS_IN = new Set(['password', ...ANONYMOUS, ...SIGN_UP, ...VERIFICATION]);

/**
 * Whether a client may sign users in by itself, so that they trust it with their credentials anyway. Any other client
 * was given a part of an account by its user, and must not get from there at the rest.
 */
export function isFirstParty(client: Client): boolean {
  return client.grant_types.some((grantType) => SIGNS_IN.has(grantType));
}
