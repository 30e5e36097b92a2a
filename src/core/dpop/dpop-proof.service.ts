import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { calculateJwkThumbprint, EmbeddedJWK, errors, type JWSHeaderParameters, jwtVerify } from 'jose';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { isSecretJwk } from '../../base/crypto/jwk.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { RequestHead } from '../../base/http/request-head.js';
import { MAX_JTI, UsedJtis } from '../replay/used-jtis.js';
import { normalizedUri, requestUris } from './request-uri.js';

/** What a proof may be signed with: `dpop_signing_alg_values_supported` (RFC 9449 §5.1). */
export const DPOP_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519']; // the last is RFC 9864's name of the one before

/** Longest proof that is looked at, in characters: an RSA key of 4096 bits and its signature need half of it. */
const MAX_PROOF = 4096;
/** Seconds by which a proof's iat, exp and nbf may be off; see docs/decisions.md. */
const WINDOW = 300;

/** What the proof of a request proves. */
export interface DpopProof {
  /** The key's thumbprint (RFC 7638). */
  jkt: string;
  /**
   * Uses the proof up: to be called once nothing else about it can be refused, for it writes. Calling it again in the
   * same request changes nothing.
   * @throws AuthError invalid_dpop_proof where it was used before
   */
  use: () => Promise<void>;
}

const READ = Symbol('read proof');
type Read = { accessToken: string | undefined; proof: Promise<DpopProof> };

/** Checks DPoP proofs (RFC 9449 §4.3), each good for one request. */
@Injectable()
export class DpopProofService {
  private readonly issuer: string[];
  private readonly resources: string[];

  constructor(
    private readonly usedJtis: UsedJtis,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) { issuer, audience }: Pick<ResolvedAuthOptions, 'issuer' | 'audience'>,
  ) {
    this.issuer = [issuer];
    // a host's own routes may be reached under the URL that its access tokens are for
    this.resources = [issuer, audience].filter((url) => /^https?:/.test(url) && URL.canParse(url));
  }

  /**
   * Checks the proof of a request, and uses nothing up. Whoever asks again about the same request gets the same answer.
   * The numbers are those of RFC 9449 §4.3.
   * @param accessToken at a protected resource: the access token that the proof comes with
   * @returns undefined where the request has no proof
   * @throws AuthError invalid_dpop_proof
   */
  async read(request: RequestHead & { [READ]?: Read }, accessToken?: string): Promise<DpopProof | undefined> {
    const [proof, ...more] = request.headerValues('dpop');
    if (proof === undefined) return undefined;
    if (more.length > 0) throw invalid(); // 1
    if (!request[READ] || request[READ].accessToken !== accessToken) {
      request[READ] = { accessToken, proof: this.check(proof, request, accessToken) };
    }
    return request[READ].proof;
  }

  private async check(proof: string, http: RequestHead, accessToken?: string): Promise<DpopProof> {
    if (proof.length > MAX_PROOF) throw invalid();
    const { payload, protectedHeader } = await this.verify(proof); // 2 to 7
    const { jti, htm, htu, iat, ath } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) throw invalid(); // 3
    if (typeof iat !== 'number') throw invalid();
    const targets = requestUris(http.url, accessToken === undefined ? this.issuer : this.resources);
    const uri = normalizedUri(htu);
    if (htm !== http.method || uri === undefined || !targets.includes(uri)) {
      throw refusal('DPOP_PROOF_MISMATCH'); // 8, 9
    }
    // 10: no nonces of ours, so a claim of that name means nothing
    const now = this.clock.now();
    if (Math.abs(now - iat * 1000) > WINDOW * 1000) throw refusal('DPOP_PROOF_EXPIRED'); // 11
    if (accessToken !== undefined && ath !== hashOf(accessToken)) throw refusal('DPOP_PROOF_MISMATCH'); // 12
    const jkt = await calculateJwkThumbprint(protectedHeader.jwk!, 'sha256');
    let used: Promise<void> | undefined;
    return { jkt, use: () => (used ??= this.consume(jkt, jti, Math.ceil((iat + WINDOW) * 1000) + 1)) };
  }

  private async consume(jkt: string, jti: string, tooOldFrom: number): Promise<void> {
    const consumed = await this.usedJtis.consume('dpop', jkt, jti, tooOldFrom);
    if (!consumed) throw refusal('DPOP_PROOF_REUSED'); // §11.1
  }

  private async verify(proof: string) {
    try {
      return await jwtVerify(proof, embeddedKey, {
        typ: 'dpop+jwt',
        algorithms: DPOP_ALGS,
        currentDate: new Date(this.clock.now()),
        clockTolerance: WINDOW, // for exp and nbf what iat is allowed: it is one clock that is off
      });
    } catch (cause) {
      throw isOutOfTime(cause) ? refusal('DPOP_PROOF_EXPIRED') : invalid(cause);
    }
  }
}

/** The proof's own key: public (7), and of the type that its alg asks for. */
function embeddedKey(header: JWSHeaderParameters) {
  if (typeof header.jwk !== 'object' || header.jwk === null || isSecretJwk(header.jwk)) throw new errors.JWSInvalid();
  return EmbeddedJWK(header);
}

/** Too old by its own `exp`, or from the future by its own `nbf` (RFC 7519 §4.1.4, §4.1.5). */
function isOutOfTime(cause: unknown): boolean {
  if (!(cause instanceof errors.JWTClaimValidationFailed)) return cause instanceof errors.JWTExpired;
  return cause.claim === 'nbf' && cause.reason === 'check_failed';
}

/** RFC 9449 §4.2: `ath`, base64url of the SHA-256 of the access token. */
function hashOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}

function invalid(cause?: unknown): AuthError {
  return refusal('DPOP_PROOF_INVALID', cause);
}

function refusal(reason: `DPOP_PROOF_${'INVALID' | 'MISMATCH' | 'EXPIRED' | 'REUSED'}`, cause?: unknown): AuthError {
  return new AuthError('invalid_dpop_proof', { reason, cause });
}
