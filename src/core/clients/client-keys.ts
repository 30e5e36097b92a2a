import { Injectable, Logger } from '@nestjs/common';
import { createLocalJWKSet, errors, type JWSHeaderParameters, type JSONWebKeySet } from 'jose';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { publicKeys } from './client-key-set.js';
import type { Client } from './client.entity.js';
import { JwksFetcher } from './jwks-fetcher.js';

/** Finds the key of a JWS header. @throws errors.JOSEError where there is none, or more than one */
export type KeyFinder = ReturnType<typeof createLocalJWKSet>;

/** How old published keys may be before they are fetched again, in milliseconds. */
const FRESH_FOR = 300_000;
/** Least milliseconds between two fetches from one address, whatever is asked for and however they end. */
const PAUSE = 30_000;
/** How long published keys still count while nothing can be fetched. */
const KEPT_FOR = 3_600_000;

interface Published {
  find?: KeyFinder;
  fetchedAt: number;
  askedAt: number;
  asking?: Promise<void>;
}

/** The public keys of private_key_jwt clients, by value or from their jwks_uri. */
@Injectable()
export class ClientKeys {
  private readonly logger = new Logger('ClientKeys');
  private readonly byValue = new WeakMap<JSONWebKeySet, KeyFinder>();
  private readonly published = new LRUCache<string, Published>({ max: 1000 });

  constructor(
    private readonly fetcher: JwksFetcher,
    private readonly clock: Clock,
  ) {}

  /**
   * The client's key for a header. A kid that its jwks_uri did not have is looked for there once more: keys rotate.
   * @throws errors.JOSEError where it has none; AuthError unavailable where they cannot be fetched
   */
  async find(client: Client, header: JWSHeaderParameters) {
    if (client.jwks) return this.given(client.jwks)(header);
    const find = await this.fetched(client, false);
    try {
      return await find(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return (await this.fetched(client, true))(header);
    }
  }

  private given(jwks: JSONWebKeySet): KeyFinder {
    let find = this.byValue.get(jwks);
    if (!find) this.byValue.set(jwks, (find = createLocalJWKSet(jwks)));
    return find;
  }

  private async fetched(client: Client, again: boolean): Promise<KeyFinder> {
    const uri = client.jwks_uri!;
    let entry = this.published.get(uri);
    if (!entry) this.published.set(uri, (entry = { fetchedAt: -Infinity, askedAt: -Infinity }));
    const now = this.clock.monotonic();
    const wanted = again || now - entry.fetchedAt >= FRESH_FOR;
    if (wanted && now - entry.askedAt >= PAUSE) entry.asking = this.ask(client.id, uri, entry);
    await entry.asking;
    if (!entry.find || now - entry.fetchedAt > KEPT_FOR) {
      throw new AuthError('unavailable', { reason: 'CLIENT_KEYS_UNAVAILABLE', retryAfter: PAUSE / 1000 });
    }
    return entry.find;
  }

  private async ask(clientId: string, uri: string, entry: Published): Promise<void> {
    entry.askedAt = this.clock.monotonic();
    try {
      entry.find = createLocalJWKSet({ keys: publicKeys(await this.fetcher.fetch(uri)) });
      entry.fetchedAt = this.clock.monotonic();
    } catch (error) {
      this.logger.warn({ msg: 'could not fetch the keys of a client', clientId, error: String(error) });
    }
  }
}
