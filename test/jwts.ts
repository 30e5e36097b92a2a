import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

export interface KeyPair {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
}

export async function keyPair(alg = 'ES256', kid?: string): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), ...(kid ? { kid } : {}) } };
}

/** A signed JWT of just these claims; one that is undefined is left out. */
export function jwt(key: KeyPair | Uint8Array, header: Partial<JWTHeaderParameters>, claims: object): Promise<string> {
  const signer = new SignJWT(JSON.parse(JSON.stringify(claims)));
  return signer
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(key instanceof Uint8Array ? key : key.privateKey, { crit: { x: false } }); // one that nobody knows
}

/** A DPoP proof (RFC 9449 §4.2) that is right but for what is said. */
export function dpopProof(
  key: KeyPair,
  now: number,
  htu: string,
  { header = {}, ...claims }: { header?: Partial<JWTHeaderParameters>; [claim: string]: unknown } = {},
): Promise<string> {
  return jwt(
    key,
    { typ: 'dpop+jwt', jwk: key.jwk, ...header },
    { jti: randomUUID(), htm: 'POST', htu, iat: now / 1000, ...claims },
  );
}

/** `ath` (RFC 9449 §4.2). */
export function hashOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}
