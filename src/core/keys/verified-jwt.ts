import type { KeyObject } from 'node:crypto';
import type { SigningAlg } from '../../base/auth.options.js';
import { VERIFY } from './algorithms.js';
import { isTyp, jsonObject, parseJws } from './jws.js';

/** `at+jwt`: an access token (RFC 9068 §2.1). */
export type Typ = 'at+jwt' | 'JWT';

export interface VerificationKey {
  alg: SigningAlg;
  publicKey: KeyObject;
}

/**
 * The claims of a JWT that is signed by a key that is known; of the claims themselves nothing is checked.
 * @param typ that its header must have
 * @param keyOf finds the key of that id, which must be of that algorithm
 * @returns undefined where it is none: malformed, of another type, or not signed by such a key
 */
export async function verifiedJwt(
  typ: Typ,
  token: string,
  keyOf: (kid: unknown, alg: unknown) => Promise<VerificationKey | undefined>,
): Promise<Record<string, unknown> | undefined> {
  const jws = parseJws(token);
  // RFC 7515 §4.1.11: an extension that is not understood; RFC 7797 §7: no JWT has an unencoded payload
  if (!jws || !isTyp(jws.header['typ'], typ) || 'crit' in jws.header || 'b64' in jws.header) return undefined;
  const key = await keyOf(jws.header['kid'], jws.header['alg']);
  if (!key || !VERIFY[key.alg](jws.input, key.publicKey, jws.signature)) return undefined;
  return jsonObject(jws.payload);
}
