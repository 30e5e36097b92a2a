import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { SigningAlg } from '../../base/auth.options.js';

export const GENERATE = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} satisfies Record<SigningAlg, () => { privateKey: KeyObject }>;

// RFC 7518 §3.3, §3.4; RFC 8037 §3.1. Synchronous: a third of the CPU of WebCrypto's detour through the thread pool.
export const SIGN: Record<SigningAlg, (data: Buffer, key: KeyObject) => string> = {
  ES256: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  RS256: (data, key) => sign('sha256', data, key).toString('base64url'),
  EdDSA: (data, key) => sign(null, data, key).toString('base64url'),
};

export const VERIFY: Record<SigningAlg, (data: Buffer, key: KeyObject, signature: Buffer) => boolean> = {
  ES256: (data, key, signature) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
  RS256: (data, key, signature) => verify('sha256', data, key, signature),
  EdDSA: (data, key, signature) => verify(null, data, key, signature),
};
