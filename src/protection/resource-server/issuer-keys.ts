import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { SigningAlg } from '../../base/auth.options.js';
import type { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { within } from '../../base/within.js';
import { publicKeys } from '../../core/clients/client-key-set.js';
import type { VerificationKey } from '../../core/keys/verified-jwt.js';
import { fetched } from './fetched.js';
import type { IssuerMetadata } from './issuer-metadata.js';

/** Seconds for which keys are kept where the issuer doesn't say, and the least and most where it does. */
const KEPT = { unsaid: 300, least: 10, most: 3600 };
/** Seconds for which keys go on where the issuer does not answer: no token lives longer that they have signed. */
const OUTLIVED = 86_400;
/** How long a token waits for that, in milliseconds. */
const PATIENCE = 500;
/** Milliseconds after a failure for which the issuer is not asked again. */
const RETRY_AFTER = 1000;
/** Least milliseconds between two questions for a key that is not among those that are known: anybody can name one. */
const UNKNOWN_AFTER = 10_000;

/** The signing keys of an issuer in memory, as it had them a moment ago. */
export class IssuerKeys {
  private readonly logger = new Logger('ResourceServer');
  private keys = new Map<string, VerificationKey>();
  /** In milliseconds, on the monotonic clock as all moments here. */
  private keptFor = 0;
  private loadedAt = -Infinity;
  private soughtAt = -Infinity;
  /** When it had not answered in time. */
  private awayAt = -Infinity;
  private failed?: { at: number; error: AuthError };
  private loading?: Promise<void>;

  constructor(
    private readonly metadata: IssuerMetadata,
    private readonly clock: Clock,
  ) {}

  /**
   * The key of a token's header: the one with that id, and of that algorithm.
   * @throws AuthError unavailable where the issuer does not answer, so that there is no word about the token
   */
  async find(kid: unknown, alg: unknown): Promise<VerificationKey | undefined> {
    if (this.age() > this.keptFor) await this.renew();
    const key = this.known(kid, alg);
    if (key || this.clock.monotonic() - this.soughtAt < UNKNOWN_AFTER) return key;
    await this.load(); // it may be a new one
    this.soughtAt = this.clock.monotonic();
    return this.known(kid, alg);
  }

  private async renew(): Promise<void> {
    const loaded = this.load();
    if (this.age() > OUTLIVED * 1000) return loaded;
    loaded.catch(() => undefined); // it is logged, and the keys that there are go on
    if (this.clock.monotonic() - this.awayAt < RETRY_AFTER) return;
    await within(PATIENCE, loaded).catch(() => {
      this.awayAt = this.clock.monotonic();
    });
  }

  /** Calls made while one is under way share it. */
  private load(): Promise<void> {
    const { failed } = this;
    if (failed && this.clock.monotonic() - failed.at < RETRY_AFTER) return Promise.reject(failed.error);
    this.loading ??= this.fetch()
      .catch((cause: unknown) => {
        this.logger.warn({ msg: 'could not load signing keys', issuer: this.metadata.issuer, error: String(cause) });
        const error = new AuthError('unavailable', { reason: 'UNAVAILABLE', retryAfter: 1, cause });
        this.failed = { at: this.clock.monotonic(), error };
        throw error;
      })
      .finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async fetch(): Promise<void> {
    const asked = this.clock.monotonic(); // as old as the question is the answer
    const { body, maxAge = KEPT.unsaid } = await fetched((await this.metadata.get()).jwks_uri);
    const usable = publicKeys(body).flatMap((jwk) => verificationKey(jwk as JsonWebKey));
    this.keys = new Map(usable.map((key) => [nameOf(key.kid, key.alg), key]));
    this.keptFor = Math.min(Math.max(maxAge, KEPT.least), KEPT.most) * 1000;
    this.loadedAt = asked;
  }

  private known(kid: unknown, alg: unknown): VerificationKey | undefined {
    return this.keys.get(nameOf(kid, alg));
  }

  private age(): number {
    return this.clock.monotonic() - this.loadedAt;
  }
}

function nameOf(kid: unknown, alg: unknown): string {
  return JSON.stringify([kid, alg]);
}

/** None of a kind that our tokens are not signed by. */
function verificationKey(jwk: JsonWebKey): [VerificationKey & { kid: unknown }] | [] {
  const alg = algOf(jwk);
  if (alg === undefined || (jwk['use'] ?? 'sig') !== 'sig' || (jwk['alg'] ?? alg) !== alg) return [];
  try {
    return [{ kid: jwk['kid'], alg, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }];
  } catch {
    return []; // one that is broken is no reason to do without the others
  }
}

function algOf({ kty, crv, n = '' }: JsonWebKey): SigningAlg | undefined {
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA';
  return kty === 'RSA' && Buffer.from(n, 'base64url').length >= 256 ? 'RS256' : undefined; // RFC 7518 §3.3
}
