import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { errors } from 'jose';
import { AUTH_OPTIONS, type ResolvedAuthOptions, type SigningAlg } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { SigningKey } from './signing-key.entity.js';

const SIGNING_KEY = purpose('signing-key');

/** Seconds for which verifiers may keep the JWKS; a new key signs only after that. */
export const JWKS_MAX_AGE = 300;
/** How long a superseded key stays published: the longest life that an access token may have. */
const PUBLISHED_FOR = 86_400_000;
/** How old the keys in memory may be, in milliseconds: well under JWKS_MAX_AGE. */
const RELOAD_AFTER = 30_000;

interface LoadedKey {
  row: SigningKey;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JsonWebKey;
  /** JWS header by typ, encoded. */
  headers: Map<string, string>;
}

/** Makes, keeps and uses the signing keys. */
@Injectable()
@Sweeps()
export class KeyService implements OnModuleInit {
  private readonly logger = new Logger('Keys');
  private readonly rows = this.database.repository(SigningKey);
  private keys: LoadedKey[] = [];
  /** On the monotonic clock. */
  private loadedAt = -Infinity;

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.reload();
    if (!this.keys.some(({ row }) => row.alg === this.options.signingAlg)) await this.rotate();
  }

  /**
   * A signed JWT (RFC 7515 compact serialization).
   * @param typ `at+jwt` (RFC 9068 §2.1) or `JWT`
   */
  sign(typ: 'at+jwt' | 'JWT', claims: object): string {
    const key = this.current();
    let header = key.headers.get(typ);
    if (header === undefined) {
      header = encode({ alg: key.row.alg, typ, kid: key.row.kid });
      key.headers.set(typ, header);
    }
    const input = `${header}.${encode(claims)}`;
    return `${input}.${SIGN[key.row.alg](Buffer.from(input), key.privateKey)}`;
  }

  /** `at_hash` of an access token under the current key's algorithm (OpenID Connect Core §3.1.3.6). */
  halfHash(token: string): string {
    const digest = hash(this.current().row.alg === 'EdDSA' ? 'sha512' : 'sha256', token, 'buffer');
    return digest.toString('base64url', 0, digest.length / 2);
  }

  /** The public key of a token's header. @throws JWKSNoMatchingKey where none of ours has that id and algorithm */
  async verificationKey(kid: string | undefined, alg: string | undefined): Promise<KeyObject> {
    const find = () => this.keys.find(({ row }) => row.kid === kid && row.alg === alg);
    if (!find() && this.isStale()) await this.reload();
    const key = find();
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  }

  /** JWKS (RFC 7517 §5): every key that a living token may be signed with, and the next one. */
  async jwks(): Promise<{ keys: JsonWebKey[] }> {
    if (this.isStale()) await this.reload();
    return { keys: this.keys.map(({ jwk }) => jwk) };
  }

  /** Makes a new key. It is published at once, and signs once every verifier's copy of the JWKS has run out. */
  async rotate(): Promise<SigningKey> {
    const now = this.clock.now();
    const { privateKey } = GENERATE[this.options.signingAlg]();
    const row = this.rows.create({
      kid: randomBytes(16).toString('base64url'),
      alg: this.options.signingAlg,
      sealed_private_key: this.secret.seal(SIGNING_KEY, privateKey.export({ type: 'pkcs8', format: 'der' })),
      created_at: now,
      signs_from: this.keys.length === 0 ? now : now + JWKS_MAX_AGE * 1000,
    });
    await this.rows.insert(row);
    await this.database.flush();
    await this.reload();
    return row;
  }

  /** Every key, the newest first, with the one that signs now. */
  async list(): Promise<{ key: SigningKey; signing: boolean }[]> {
    await this.reload();
    const current = this.current();
    return this.keys.map(({ row }) => ({ key: row, signing: row === current.row }));
  }

  /** Removes keys that no living token can be signed with. */
  async removeExpired(): Promise<number> {
    await this.reload();
    const current = this.keys.indexOf(this.current());
    const gone = this.keys.filter(
      // superseded when the next newer one began to sign
      (_, i) => i > current && this.keys[i - 1]!.row.signs_from + PUBLISHED_FOR < this.clock.now(),
    );
    if (gone.length === 0) return 0;
    await this.rows.delete(gone.map(({ row }) => row.kid));
    await this.reload();
    return gone.length;
  }

  private current(): LoadedKey {
    if (this.isStale()) {
      this.loadedAt = this.clock.monotonic();
      this.reload().catch((error: unknown) =>
        this.logger.warn({ msg: 'could not reload the signing keys', error: String(error) }),
      );
    }
    const now = this.clock.now();
    return this.keys.find(({ row }) => row.signs_from <= now) ?? this.keys.at(-1)!;
  }

  private isStale(): boolean {
    return this.clock.monotonic() - this.loadedAt > RELOAD_AFTER;
  }

  private async reload(): Promise<void> {
    const rows = await this.rows.find({ order: { signs_from: 'DESC', kid: 'ASC' } });
    const known = new Map(this.keys.map((key) => [key.row.kid, key]));
    this.keys = rows.map((row) => known.get(row.kid) ?? this.load(row));
    this.loadedAt = this.clock.monotonic();
  }

  private load(row: SigningKey): LoadedKey {
    let der: Buffer;
    try {
      der = this.secret.open(SIGNING_KEY, row.sealed_private_key);
    } catch (cause) {
      throw new Error('the signing keys in the database were made under another service secret', { cause });
    }
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey(privateKey);
    const jwk = publicKey.export({ format: 'jwk' });
    return { row, privateKey, publicKey, jwk: { ...jwk, kid: row.kid, alg: row.alg, use: 'sig' }, headers: new Map() };
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const GENERATE = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} satisfies Record<SigningAlg, () => { privateKey: KeyObject }>;

// RFC 7518 §3.3, §3.4; RFC 8037 §3.1. Synchronous: a third of the CPU of WebCrypto's detour through the thread pool.
const SIGN: Record<SigningAlg, (data: Buffer, key: KeyObject) => string> = {
  ES256: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  RS256: (data, key) => sign('sha256', data, key).toString('base64url'),
  EdDSA: (data, key) => sign(null, data, key).toString('base64url'),
};
