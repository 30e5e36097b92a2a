import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import { Clock, seconds } from '../../base/clock.js';
import type { RequestHead } from '../../base/http/request-head.js';
import { DPOP_ALGS, type DpopProof, DpopProofService } from '../dpop/dpop-proof.service.js';
import { checkKeyBinding } from '../dpop/key-binding.js';
import { type AccessToken, AccessTokenReader } from './access-token.js';
import type { Party } from './lease.js';

/** How an access token was sent: the scheme says whether a proof of its key comes with it. */
export interface SentToken {
  scheme: 'Bearer' | 'DPoP';
  token: string;
}

export interface Reading {
  /** How it was sent. Default: as the Authorization header says. */
  sent?: SentToken;
  /** True: its time may have run out, for what only ends a session. */
  expired?: boolean;
  /** True: what stands behind it must still do (AccessTokenReader.isLive). */
  live?: boolean;
  /** What else has to hold, for it throws before the proof is used up. */
  require?: (token: AccessToken) => void;
  /** Seconds since which the user must have proven who they are, at most (RFC 9470). */
  maxAge?: number;
}

const REALM = 'realm="auth"'; // RFC 6750 §3 requires at least one parameter

/**
 * The one reader of access tokens that are presented to us, whatever the door: one that is bound to a key is worth
 * something only with a proof of that key (RFC 9449 §7). A proof is used up last of all, so that nothing is written for
 * a request that is refused anyway.
 */
@Injectable()
export class PresentedTokens {
  constructor(
    private readonly accessTokens: AccessTokenReader,
    private readonly proofs: DpopProofService,
    private readonly clock: Clock,
  ) {}

  /**
   * The token of a request, as its own.
   * @returns undefined where none was sent
   * @throws AuthError unauthenticated, with the challenge of RFC 6750 §3 or RFC 9449 §7.1
   */
  async read(http: RequestHead, reading: Reading = {}): Promise<AccessToken | undefined> {
    const sent = reading.sent ?? sentToken(http);
    if (!sent) return undefined;
    const { scheme } = sent;
    const token = await this.accessTokens.verify(sent.token, { expired: reading.expired });
    if (!token) throw unauthenticated(challenge(scheme, 'invalid_token'));
    const proof = await this.proofOf(http, token, sent);
    if (reading.live && !(await this.accessTokens.isLive(token, sent.token))) {
      throw unauthenticated(challenge(scheme, 'invalid_token'));
    }
    reading.require?.(token);
    this.checkAge(token, scheme, reading.maxAge);
    await proof?.use().catch(asChallenge);
    return token;
  }

  /** The same for who only counts requests: whose token it is, expired or not, with nothing used up. */
  async peek(http: RequestHead): Promise<AccessToken | undefined> {
    const sent = sentToken(http);
    const token = sent && (await this.accessTokens.verify(sent.token, { expired: true }));
    if (!token) return undefined;
    return this.proofOf(http, token, sent).then(
      () => token,
      (error: unknown) => {
        if (isUnauthenticated(error)) return undefined;
        throw error;
      },
    );
  }

  /**
   * A living token that came as a parameter, for whom the same holds: the request has a proof of its key.
   * @returns undefined where it is not alive
   * @throws AuthError invalid_dpop_proof, invalid_grant where the key is not proven
   */
  async parameter(sent: string, { dpopJkt }: Party): Promise<AccessToken | undefined> {
    const token = await this.accessTokens.verify(sent);
    if (!token || !(await this.accessTokens.isLive(token, sent))) return undefined;
    checkKeyBinding(token.cnf?.jkt ?? null, dpopJkt);
    return token;
  }

  /** RFC 9470 §3: a client that was refused for this may ask its user to sign in once more. */
  private checkAge({ auth_time = 0 }: AccessToken, scheme: SentToken['scheme'], maxAge = Infinity): void {
    if (seconds(this.clock.now()) - auth_time <= maxAge) return;
    throw unauthenticated(`${challenge(scheme, 'insufficient_user_authentication')}, max_age="${maxAge}"`);
  }

  /** The proof that a token needs; undefined: it needs none. */
  private async proofOf(http: RequestHead, { cnf }: AccessToken, sent: SentToken): Promise<DpopProof | undefined> {
    if (sent.scheme === 'Bearer') {
      if (cnf) throw unauthenticated(challenge('DPoP', 'invalid_token')); // RFC 9449 §7.2: no downgrade
      return undefined;
    }
    const proof = await this.proofs.read(http, sent.token).catch(asChallenge);
    if (!proof) throw unauthenticated(challenge('DPoP', 'invalid_dpop_proof'));
    if (proof.jkt !== cnf?.jkt) throw unauthenticated(challenge('DPoP', 'invalid_token'));
    return proof;
  }
}

/** The token of the Authorization header (RFC 6750 §2.1, RFC 9449 §7.1); undefined: there is none, or it is malformed. */
export function sentToken(http: RequestHead): SentToken | undefined {
  const sent = /^(?:(bearer)|dpop) +([A-Za-z0-9._~+/-]+=*)$/i.exec(http.header('authorization') ?? '');
  return sent ? { scheme: sent[1] === undefined ? 'DPoP' : 'Bearer', token: sent[2]! } : undefined;
}

/** A challenge; one of DPoP's says what proofs may be signed with (RFC 9449 §7.1). */
export function challenge(scheme: SentToken['scheme'], error?: string): string {
  const word = error === undefined ? '' : `, error="${error}"`;
  return `${scheme} ${REALM}${word}` + (scheme === 'DPoP' ? `, algs="${DPOP_ALGS.join(' ')}"` : '');
}

export function isUnauthenticated(error: unknown): error is AuthError<'unauthenticated'> {
  return error instanceof AuthError && error.code === 'unauthenticated';
}

function asChallenge(error: unknown): never {
  if (!(error instanceof AuthError) || error.code !== 'invalid_dpop_proof') throw error;
  throw unauthenticated(challenge('DPoP', 'invalid_dpop_proof'), error);
}

function unauthenticated(said: string, cause?: unknown): AuthError<'unauthenticated'> {
  return new AuthError('unauthenticated', {
    reason: 'ACCESS_TOKEN_INVALID',
    headers: { 'WWW-Authenticate': said },
    cause,
  });
}
