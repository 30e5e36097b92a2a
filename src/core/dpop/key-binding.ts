import { AuthError } from '../../base/errors/auth.error.js';

/**
 * Refuses who does not prove the key that something is bound to (RFC 9449 §5, §10). Nothing is used up or ended by it:
 * without the key, whoever asked can do nothing with what they have.
 * @param bound thumbprint of the key; null: it is bound to none
 * @param proven thumbprint of the key that the request has proven; undefined: it has no proof
 * @throws AuthError invalid_dpop_proof, invalid_grant
 */
export function checkKeyBinding(bound: string | null, proven: string | undefined): void {
  if (bound === null || bound === proven) return;
  if (proven === undefined) throw new AuthError('invalid_dpop_proof', { reason: 'DPOP_PROOF_MISSING' });
  throw new AuthError('invalid_grant', { reason: 'DPOP_KEY_MISMATCH' });
}
