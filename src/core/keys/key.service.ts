import { hash, type JsonWebKey, randomBytes } from 'node:crypto';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { NeedsSecret, type SecretNeed } from '../../base/crypto/secret-need.js';
import { ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { isDuplicate } from '../../base/database/faults.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { GENERATE, SIGN } from './algorithms.js';
import { KeyRing, type LoadedKey, PUBLISHED_AFTER, SIGNING_KEY } from './key-ring.js';
import { SigningKey } from './signing-key.entity.js';
import { type Typ, verifiedJwt } from './verified-jwt.js';

/** Seconds for which verifiers may keep the JWKS. */
export const JWKS_MAX_AGE = 300;
/** How long a superseded key stays published: the longest life that an access token may have. */
const PUBLISHED_FOR = 86_400_000;
/** How far apart the clocks of two processes may be, in milliseconds. */
const CLOCKS_APART = 30_000;
const DAY = 86_400_000;
/**
 * When a new key begins to sign, in milliseconds: the slowest process has published it, and every copy of the JWKS that
 * a verifier got before that has run out.
 */
const SIGNS_AFTER = PUBLISHED_AFTER + JWKS_MAX_AGE * 1000 + CLOCKS_APART;

/**
 * Makes, keeps and uses the signing keys. The algorithm of the options decides which of them sign here; others that are
 * there, made by a process with other options, are published.
 */
@Injectable()
@Sweeps()
@NeedsSecret()
export class KeyService implements OnModuleInit {
  private readonly logger = new Logger('Keys');
  private readonly rows = this.database.repository(SigningKey);

  constructor(
    private readonly database: AuthDatabase,
    private readonly ring: KeyRing,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    private readonly server: HttpAdapterHost,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** A process that answers requests sees to it that there is a key; one that only looks at the database writes nothing. */
  async onModuleInit(): Promise<void> {
    await this.ring.read();
    if (!this.server.httpAdapter) return;
    await this.makeFirst();
    await this.reseal();
  }

  /**
   * To be awaited before something is signed: what is in memory counts now. Where the database does not answer, what is
   * there goes on.
   */
  upToDate(): Promise<void> {
    return this.ring.upToDate();
  }

  /** A signed JWT (RFC 7515 compact serialization). */
  sign(typ: Typ, claims: object): string {
    const key = this.signing();
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
    const digest = hash(this.signing().row.alg === 'EdDSA' ? 'sha512' : 'sha256', token, 'buffer');
    return digest.toString('base64url', 0, digest.length / 2);
  }

  /**
   * The claims of a JWT that one of our keys has signed; of the claims themselves nothing is checked.
   * @param typ that its header must have
   * @returns undefined where it is none: malformed, of another type, or not signed by a key that is published
   */
  verify(typ: Typ, token: string): Promise<Record<string, unknown> | undefined> {
    return verifiedJwt(typ, token, async (kid, alg) => {
      const key = await this.verificationKey(kid, alg);
      return key && { alg: key.row.alg, publicKey: key.publicKey };
    });
  }

  /** JWKS (RFC 7517 §5): every key that a living token may be signed with, and the next one. */
  async jwks(): Promise<{ keys: JsonWebKey[] }> {
    await this.ring.toPublish();
    return { keys: this.ring.keys.map(({ jwk }) => jwk) };
  }

  /** The same as it is sent, made once for all who ask. */
  async jwksText(): Promise<string> {
    await this.ring.toPublish();
    return this.ring.published;
  }

  /** Makes a new key. It is published at once, and signs once every verifier's copy of the JWKS has run out. */
  rotate(): Promise<SigningKey> {
    return this.make();
  }

  /**
   * Takes a key that is known to others out of use, at once: it is published no longer, and verifies nothing. Where it
   * was the last one, a new one signs at once.
   * @returns the key that signs from now on
   * @throws Error where there is no such key
   */
  async retire(kid: string): Promise<SigningKey> {
    await this.ring.read();
    if (!this.ring.keys.some(({ row }) => row.kid === kid)) throw new Error(`there is no signing key ${kid}`);
    const others = this.ring.keys.filter(({ row }) => row.kid !== kid);
    // before it goes: there is a key at any moment
    if (others.length === 0) await this.make({ signs_from: this.clock.now() });
    await this.rows.delete({ kid });
    await this.database.flush();
    await this.ring.read();
    await this.makeFirst(); // also where another one was retired meanwhile
    return this.signing().row;
  }

  /** Every key, the newest first, with the one that signs now. */
  async list(): Promise<{ key: SigningKey; signing: boolean }[]> {
    await this.ring.read();
    const current = this.current();
    return this.ring.keys.map((key) => ({ key: key.row, signing: key === current }));
  }

  /** Removes keys that no living token can be signed with, and makes the one that is due. */
  async removeExpired(): Promise<number> {
    await this.ring.read();
    if (this.server.httpAdapter) {
      await this.rotateInTime();
      await this.reseal();
    }
    const over = this.clock.now() - PUBLISHED_FOR;
    const gone = this.ring.keys.filter((key, i) => {
      // superseded when a newer one began to sign in its place: of its own algorithm, or of the one that signs here
      const newer = this.ring.keys
        .slice(0, i)
        .filter(({ row }) => [key.row.alg, this.options.signingAlg].includes(row.alg));
      return key !== this.current() && newer.some(({ row }) => row.signs_from < over);
    });
    if (gone.length === 0) return 0;
    await this.rows.delete(gone.map(({ row }) => row.kid));
    await this.ring.read();
    return gone.length;
  }

  /** The keys that are sealed under another secret than the current one. */
  async needOfPrevious(): Promise<SecretNeed> {
    const rows = await this.rows.find();
    const old = rows.filter((row) => this.secret.resealed(SIGNING_KEY, row.sealed_private_key) !== undefined);
    return { what: 'signing keys', count: old.length, until: null, which: old.map(({ kid }) => kid) };
  }

  /** Of any number of processes one makes the successor of a key: the others find that there is one. */
  private async rotateInTime(): Promise<void> {
    const newest = this.ring.keys.find(({ row }) => row.alg === this.options.signingAlg)?.row;
    const { keyRotation } = this.options;
    if (!newest || keyRotation === 0 || this.clock.now() - newest.signs_from < keyRotation * DAY) return;
    try {
      const { kid } = await this.make({ succeeds: newest.kid });
      this.logger.log({ msg: 'a new signing key was made', kid, succeeds: newest.kid });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      await this.ring.read();
    }
  }

  /** Seals keys under the current secret that are sealed under the previous one; several processes may do so at once. */
  private async reseal(): Promise<void> {
    for (const { row } of this.ring.keys) {
      const { kid, sealed_private_key } = row;
      const resealed = this.secret.resealed(SIGNING_KEY, sealed_private_key);
      if (resealed === undefined) continue;
      await this.rows.update({ kid, sealed_private_key }, { sealed_private_key: resealed });
    }
  }

  /** The key of a token's header: the one of ours with that id, and of that algorithm. */
  private async verificationKey(kid: unknown, alg: unknown): Promise<LoadedKey | undefined> {
    const find = () => this.ring.keys.find(({ row }) => row.kid === kid && row.alg === alg);
    if (this.ring.isStale()) await this.ring.upToDate();
    const key = find();
    if (key || !this.ring.isStale()) return key;
    await this.ring.reload(); // it may be a new one: no word about the token
    return find();
  }

  /** Two processes may start at once: of a first key there is one, and who comes second has it, too. */
  private async makeFirst(): Promise<void> {
    while (!this.ring.keys.some(({ row }) => row.alg === this.options.signingAlg)) {
      try {
        if (this.ring.keys.length > 0) await this.make({ first_of: this.options.signingAlg });
        else await this.make({ first_of: 'any', signs_from: this.clock.now() });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        await this.ring.read();
      }
    }
  }

  private async make(how: Partial<Pick<SigningKey, 'first_of' | 'succeeds' | 'signs_from'>> = {}): Promise<SigningKey> {
    const now = this.clock.now();
    const { privateKey } = GENERATE[this.options.signingAlg]();
    const row = this.rows.create({
      kid: randomBytes(16).toString('base64url'),
      alg: this.options.signingAlg,
      sealed_private_key: this.secret.seal(SIGNING_KEY, privateKey.export({ type: 'pkcs8', format: 'der' })),
      created_at: now,
      signs_from: now + SIGNS_AFTER,
      first_of: null,
      succeeds: null,
      ...how,
    });
    await this.rows.insert(row);
    await this.database.flush();
    await this.ring.read();
    return row;
  }

  /** @throws Error where there is no key at all */
  private signing(): LoadedKey {
    const key = this.current();
    if (!key)
      throw new Error('there is no signing key yet: the service makes one when it starts, as does `keys rotate`');
    return key;
  }

  /** The newest of the algorithm that was asked for whose time has come; while there is none, of any. */
  private current(): LoadedKey | undefined {
    void this.ring.upToDate();
    const now = this.clock.now();
    const isReady = ({ row }: LoadedKey) => row.signs_from <= now;
    const isOurs = (key: LoadedKey) => isReady(key) && key.row.alg === this.options.signingAlg;
    return this.ring.keys.find(isOurs) ?? this.ring.keys.find(isReady) ?? this.ring.keys.at(-1);
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
