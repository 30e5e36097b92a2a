import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { within } from '../../base/within.js';
import { SigningKey } from './signing-key.entity.js';

/** What private keys are sealed for. */
export const SIGNING_KEY = purpose('signing-key');

/** How old the keys in memory may be, in milliseconds: a key that was retired counts for no longer. */
const RELOAD_AFTER = 2000;
/** How old what is published may be where the database does not answer, in milliseconds. */
export const PUBLISHED_AFTER = 30_000;
/** For how long signing and verifying wait for the database, in milliseconds, before they go on with the keys they have. */
const PATIENCE = 500;
/** How long after a failure signing does not ask the database again, in milliseconds. */
const RETRY_AFTER = 1000;

export interface LoadedKey {
  row: SigningKey;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JsonWebKey;
  /** JWS header by typ, encoded. */
  headers: Map<string, string>;
}

/** The signing keys in memory, as the database had them a moment ago. */
@Injectable()
export class KeyRing {
  /** The one that signs last first. */
  keys: LoadedKey[] = [];
  /** The JWKS of these, as text. */
  published = '{"keys":[]}';

  private readonly logger = new Logger('Keys');
  private readonly rows = this.database.repository(SigningKey);
  /** On the monotonic clock. */
  private loadedAt = -Infinity;
  private failedAt = -Infinity;
  private reloading?: Promise<void>;
  private waiting?: Promise<void>;

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  /** Resolves when what is in memory counts; where the database does not answer, what is there goes on. */
  async upToDate(): Promise<void> {
    if (!this.isStale() || this.isAway()) return;
    this.waiting ??= within(PATIENCE, this.reload(), `the database has not answered for ${PATIENCE} ms`)
      .catch((error: unknown) => {
        this.failedAt = this.clock.monotonic();
        this.logger.warn({ msg: 'could not reload the signing keys', error: String(error) });
      })
      .finally(() => (this.waiting = undefined));
    await this.waiting;
  }

  /** @throws Error where the database does not answer, and what is in memory is too old for verifiers to keep */
  async toPublish(): Promise<void> {
    await this.upToDate();
    if (this.age() > PUBLISHED_AFTER) await this.reload();
  }

  isStale(): boolean {
    return this.age() > RELOAD_AFTER;
  }

  /** Calls made while one is under way share it. */
  reload(): Promise<void> {
    this.reloading ??= this.read().finally(() => (this.reloading = undefined));
    return this.reloading;
  }

  /** Straight from the database. */
  async read(): Promise<void> {
    const asked = this.clock.monotonic(); // as old as the question is the answer
    const rows = await this.rows.find({ order: { signs_from: 'DESC', kid: 'ASC' } });
    const known = new Map(this.keys.map((key) => [key.row.kid, key]));
    this.keys = rows.map((row) => {
      const key = known.get(row.kid);
      return key ? Object.assign(key, { row }) : this.load(row);
    });
    this.published = JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) });
    this.loadedAt = asked;
  }

  private age(): number {
    return this.clock.monotonic() - this.loadedAt;
  }

  private isAway(): boolean {
    return this.clock.monotonic() - this.failedAt <= RETRY_AFTER;
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
