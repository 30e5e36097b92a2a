import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { IsNull, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { NeedsSecret, type SecretNeed } from '../../base/crypto/secret-need.js';
import { generateSecret, purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import type { Page } from '../../base/database/page.js';
import { isDuplicate } from '../../base/database/faults.js';
import { badField } from '../../base/errors/auth.error.js';
import { checkClient, checkSecret } from './client-rules.js';
import { ClientSecret } from './client-secret.entity.js';
import { Client, type ClientAuthMethod } from './client.entity.js';

/** What the hash of a client's secret is derived for. */
export const CLIENT_SECRET = purpose('client-secret');

/** A client with the hashes of its secrets; those may have expired. */
export interface RegisteredClient {
  client: Client;
  secrets: ClientSecret[];
}

/** What a new client may be given; everything else has its default. */
export type NewClient = Pick<Client, 'id'> & Partial<Omit<Client, 'id' | 'created_at' | 'disabled'>>;

/** How long a change may take to show, in milliseconds. */
const CACHED_FOR = 2000;

/** Registers clients and looks them up. */
@Injectable()
@Sweeps()
@NeedsSecret()
export class ClientService {
  private readonly logger = new Logger('Clients');
  private readonly clients = this.database.repository(Client);
  private readonly secrets = this.database.repository(ClientSecret);
  private readonly enabled = this.database.statement(
    'SELECT 1 AS served FROM auth_client WHERE id = ? AND disabled = ?',
  );
  private readonly cache: LRUCache<string, { client: Promise<RegisteredClient | undefined>; until: number }>;

  constructor(
    private readonly database: AuthDatabase,
    private readonly serviceSecret: ServiceSecret,
    private readonly clock: Clock,
  ) {
    this.cache = new LRUCache({ max: 1000 });
  }

  /** The client as it was at most two seconds ago; undefined: there is none. */
  find(id: string): Promise<RegisteredClient | undefined> {
    const cached = this.cache.get(id);
    if (cached && cached.until > this.clock.monotonic()) return cached.client;
    const client = this.load(id);
    this.cache.set(id, { client, until: this.clock.monotonic() + CACHED_FOR });
    client.then(
      (found) => found ?? this.cache.delete(id), // an unknown id takes no room
      () => this.cache.delete(id),
    );
    return client;
  }

  /**
   * Registers a client. One that authenticates by a secret gets it, and it is returned this once. Left out, the method
   * is what the other values say: none if it is public, private_key_jwt if it has keys, else client_secret.
   * @param secret 32 to 256 printable ASCII characters; left out: 256 random bits
   * @throws AuthError invalid_argument that names the field
   */
  async create(values: NewClient, secret = generateSecret()): Promise<{ client: Client; secret?: string }> {
    const client = this.clients.create({
      name: values.id,
      public: false,
      token_endpoint_auth_method: methodOf(values),
      jwks: null,
      jwks_uri: null,
      grant_types: [],
      scopes: [],
      default_scope: [],
      redirect_uris: [],
      post_logout_redirect_uris: [],
      first_party: false,
      access_token_ttl: null,
      refresh_token_ttl: null,
      refresh_retry_window: null,
      need_weda_resource: false,
      ...values,
      disabled: false,
      created_at: this.clock.now(),
    });
    const hasSecret = client.token_endpoint_auth_method === 'client_secret';
    checkClient(client);
    if (hasSecret) checkSecret(secret);
    await this.clients.insert(client).catch((error: unknown) => {
      throw isDuplicate(error) ? badField('id', 'PARAMETER_INVALID', 'is the id of another client') : error;
    });
    if (hasSecret) await this.addSecret(client.id, secret);
    await this.database.flush();
    return hasSecret ? { client, secret } : { client };
  }

  /** By id. @param page after which id, and how many */
  list({ after, limit }: Page = {}): Promise<Client[]> {
    const where = after === undefined ? {} : { id: MoreThan(after) };
    return this.clients.find({ where, order: { id: 'ASC' }, take: limit });
  }

  /** Straight from the database. */
  async load(id: string): Promise<RegisteredClient | undefined> {
    const client = await this.clients.findOneBy({ id });
    return client ? { client, secrets: await this.secrets.findBy({ client_id: id }) } : undefined;
  }

  /** Whether a client may be let in at this very moment: asks the database, for who opens a session. */
  async isServed(id: string): Promise<boolean> {
    const [row] = await this.enabled.all([id, false]);
    return row !== undefined;
  }

  /**
   * Disabling lets nobody in any more; who calls it ends what was opened, too (SignOutService.end).
   * @returns whether there is such a client
   */
  async setDisabled(id: string, disabled: boolean): Promise<boolean> {
    const { affected } = await this.clients.update({ id }, { disabled });
    this.cache.delete(id);
    await this.database.flush();
    return affected === 1;
  }

  /**
   * Gives a client_secret client one more secret, and the living ones `keepOld` seconds from now.
   * @returns the new secret, this once
   */
  async rotateSecret(id: string, keepOld: number): Promise<string> {
    const secret = generateSecret();
    const now = this.clock.now();
    const last = keepOld === 0 ? 0 : now + keepOld * 1000; // at once on every node, whatever its clock says
    const added = await this.addSecret(id, secret);
    const old = (await this.secrets.findBy({ client_id: id })).filter((row) => row.id !== added);
    for (const { id: oldId } of old) {
      await this.secrets.update(
        [
          { id: oldId, expires_at: IsNull() },
          { id: oldId, expires_at: MoreThan(last) },
        ],
        {
          expires_at: last,
        },
      );
    }
    this.cache.delete(id);
    await this.database.flush();
    return secret;
  }

  /**
   * Keeps the hash of a secret that was right under the current service secret from now on. That it cannot be written
   * is no reason to refuse: the next one tries again.
   */
  async rehash(row: ClientSecret, hash: string): Promise<void> {
    const { id, hash: before } = row;
    const values = { hash, hashed_under: this.serviceSecret.id };
    Object.assign(row, values); // it may be the cached one, for which others need not try as well
    try {
      await this.secrets.update({ id, hash: before }, values);
    } catch (error) {
      this.logger.warn({ msg: "could not keep a client secret's hash anew", error: String(error) });
    }
  }

  /** The living secrets of which it is not known that they are hashed under the current service secret. */
  async needOfPrevious(): Promise<SecretNeed> {
    const notCurrent = [{ hashed_under: IsNull() }, { hashed_under: Not(this.serviceSecret.id) }];
    const alive = [IsNull(), MoreThan(this.clock.now())];
    const where = notCurrent.flatMap((of) => alive.map((expires_at) => ({ ...of, expires_at })));
    const rows = await this.secrets.find({ where, order: { client_id: 'ASC' } });
    const clients = [...new Set(rows.map(({ client_id }) => client_id))];
    return { what: 'client secrets', count: rows.length, until: null, which: clients };
  }

  /** Removes at most `batch` secrets that no longer work. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.secrets, 'id', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }

  private async addSecret(clientId: string, secret: string): Promise<string> {
    const id = randomUUID();
    await this.secrets.insert({
      id,
      client_id: clientId,
      hash: this.serviceSecret.hash(CLIENT_SECRET, secret),
      hashed_under: this.serviceSecret.id,
      created_at: this.clock.now(),
      expires_at: null,
    });
    return id;
  }
}

function methodOf(values: NewClient): ClientAuthMethod {
  if (values.public) return 'none';
  return values.jwks || values.jwks_uri ? 'private_key_jwt' : 'client_secret';
}
