import { Inject, Injectable } from '@nestjs/common';
import { errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { ROUTE_PREFIX } from '../../base/http/route-prefix.js';
import { MAX_JTI, UsedJtis } from '../replay/used-jtis.js';
import { ClientKeys } from './client-keys.js';
import type { Client } from './client.entity.js';

/** What a client may sign its assertion with: `token_endpoint_auth_signing_alg_values_supported` (RFC 8414 §2). */
export const CLIENT_ASSERTION_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519']; // the last is RFC 9864's name of the one before

/** An assertion's `typ`, where it has one; any other is a JWT for something else (RFC 8725 §3.11). */
const TYPES: unknown[] = [undefined, 'application/jwt', 'application/client-authentication+jwt'];
/** Seconds from now within which an assertion must expire: as long its jti is remembered. */
const MAX_LIFE = 600;
/** Seconds by which a client's clock may be off. */
const TOLERANCE = 30;
/** What an assertion may name besides the issuer: RFC 7523 §3, RFC 9126 §2. */
const audiencePaths = (prefix: string) => ['/oauth2/token', `${prefix}/token`, '/oauth2/par'];

type AssertionReason = `CLIENT_ASSERTION_${'INVALID' | 'KEY_UNKNOWN' | 'EXPIRED' | 'AUDIENCE_WRONG' | 'REUSED'}`;

/** Client authentication by a signed JWT: private_key_jwt (RFC 7523 §2.2 and §3, OpenID Connect Core §9). */
@Injectable()
export class ClientAssertionService {
  private readonly audiences: string[];

  constructor(
    private readonly keys: ClientKeys,
    private readonly usedJtis: UsedJtis,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) { issuer }: ResolvedAuthOptions,
    @Inject(ROUTE_PREFIX) prefix: string,
  ) {
    const base = issuer.replace(/\/$/, '');
    this.audiences = [issuer, base, ...audiencePaths(prefix).map((path) => base + path)];
  }

  /** Accepts an assertion of this client, once. @throws AuthError unauthorized_client, or unavailable */
  async accept(client: Client, assertion: string): Promise<void> {
    const now = Math.floor(this.clock.now() / 1000);
    const { payload, protectedHeader } = await this.verify(client, assertion);
    const { aud, exp, iat, jti } = payload;
    if (!TYPES.includes(mediaTypeOf(protectedHeader.typ)))
      throw refusal('CLIENT_ASSERTION_INVALID', 'Its typ is another.');
    // every audience is ours: one that another server takes, too, could be sent there by us, or here by them
    const audiences = [aud ?? []].flat();
    if (audiences.length === 0 || !audiences.every((one) => this.audiences.includes(one))) {
      throw refusal('CLIENT_ASSERTION_AUDIENCE_WRONG');
    }
    if (exp! > now + MAX_LIFE + TOLERANCE) {
      throw refusal('CLIENT_ASSERTION_INVALID', `It must expire within ${MAX_LIFE} seconds.`);
    }
    if (iat !== undefined && !(iat <= now + TOLERANCE)) {
      throw refusal('CLIENT_ASSERTION_INVALID', 'It was issued in the future.');
    }
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) {
      throw refusal('CLIENT_ASSERTION_INVALID', `Its jti must be a string of at most ${MAX_JTI} characters.`);
    }
    const consumed = await this.usedJtis.consume(
      'client-assertion',
      client.id,
      jti,
      (Math.ceil(exp!) + TOLERANCE) * 1000,
    );
    if (!consumed) throw refusal('CLIENT_ASSERTION_REUSED');
  }

  private async verify(client: Client, assertion: string) {
    const options: JWTVerifyOptions = {
      algorithms: CLIENT_ASSERTION_ALGS,
      issuer: client.id, // RFC 7523 §3: both are the client
      subject: client.id,
      requiredClaims: ['aud', 'exp', 'jti'],
      clockTolerance: TOLERANCE,
      currentDate: new Date(this.clock.now()),
    };
    try {
      return await jwtVerify<JWTPayload>(assertion, (header) => this.keys.find(client, header), options).catch(
        (error: unknown) => anyKey(error, assertion, options),
      );
    } catch (cause) {
      if (cause instanceof AuthError) throw cause;
      if (cause instanceof errors.JWTExpired) throw refusal('CLIENT_ASSERTION_EXPIRED');
      if (cause instanceof errors.JWKSNoMatchingKey) throw refusal('CLIENT_ASSERTION_KEY_UNKNOWN');
      const claim = cause instanceof errors.JWTClaimValidationFailed ? cause.claim : undefined;
      throw refusal('CLIENT_ASSERTION_INVALID', claim && `Its ${claim} is wrong or missing.`, cause);
    }
  }
}

/** An assertion without a kid, of a client with several keys of that type: one of them must have signed it. */
async function anyKey(error: unknown, assertion: string, options: JWTVerifyOptions) {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  for await (const key of error) {
    try {
      return await jwtVerify(assertion, key, options);
    } catch (failure) {
      if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** RFC 7515 §4.1.9: in any case, and with or without the `application/` before it. */
function mediaTypeOf(typ: unknown): unknown {
  if (typeof typ !== 'string') return typ;
  return (typ.includes('/') ? typ : `application/${typ}`).toLowerCase();
}

function refusal(reason: AssertionReason, hint?: string, cause?: unknown): AuthError {
  return new AuthError('unauthorized_client', { reason, hint, cause });
}
