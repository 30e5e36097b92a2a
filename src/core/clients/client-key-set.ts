import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import { isSecretJwk } from '../../base/crypto/jwk.js';
import { type AuthError, badField } from '../../base/errors/auth.error.js';
import type { Client } from './client.entity.js';

/** Most keys that a client may have at a time. */
const MAX_KEYS = 20;

/**
 * Checks the keys that a new client is registered with.
 * @throws AuthError invalid_argument that says what is wrong with them
 */
export function checkClientKeys(client: Pick<Client, 'token_endpoint_auth_method' | 'jwks' | 'jwks_uri'>): void {
  const { jwks, jwks_uri } = client;
  if (client.token_endpoint_auth_method !== 'private_key_jwt') {
    if (!jwks && !jwks_uri) return;
    throw wrong(jwks ? 'jwks' : 'jwks_uri', 'is for clients that authenticate by private_key_jwt');
  }
  if ((jwks === null) === (jwks_uri === null)) throw wrong('jwks', 'private_key_jwt needs either jwks or jwks_uri');
  if (jwks_uri !== null) return checkUri(jwks_uri);
  try {
    for (const key of publicKeys(jwks)) checkKey(key);
  } catch (error) {
    throw wrong('jwks', (error as Error).message);
  }
}

/**
 * The keys of a JWK Set (RFC 7517 §5) that may verify something.
 * @throws Error where it is no such set, or holds a private key
 */
export function publicKeys(jwks: unknown): JWK[] {
  const keys: unknown = (jwks as Partial<JSONWebKeySet> | null)?.keys;
  if (!Array.isArray(keys)) throw new Error('the JWKS has no keys');
  if (keys.length === 0 || keys.length > MAX_KEYS) throw new Error(`the JWKS must have 1 to ${MAX_KEYS} keys`);
  if (!keys.every((key): key is JWK => typeof key === 'object' && key !== null && !Array.isArray(key))) {
    throw new Error('the JWKS has a key that is no object');
  }
  if (keys.some(isSecretJwk)) throw new Error('the JWKS holds a private or symmetric key');
  return keys;
}

function checkUri(uri: string): void {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password || url.hash || uri.length > 2048) {
    throw wrong('jwks_uri', 'must be an https URL without credentials and fragment');
  }
}

function checkKey(jwk: JWK): void {
  const { asymmetricKeyType, asymmetricKeyDetails } = readKey(jwk);
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  const known =
    asymmetricKeyType === 'ed25519' ||
    (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') ||
    (asymmetricKeyType === 'rsa' && modulusLength >= 2048);
  if (!known) throw new Error('the JWKS has a key other than P-256, Ed25519 and RSA of at least 2048 bits');
}

function readKey(jwk: JWK) {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch (cause) {
    throw new Error('the JWKS has a key that cannot be read', { cause });
  }
}

function wrong(field: 'jwks' | 'jwks_uri', description: string): AuthError {
  return badField(field, 'PARAMETER_INVALID', description);
}
