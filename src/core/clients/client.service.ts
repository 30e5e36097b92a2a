import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { MoreThan } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { generateSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { wordsOf } from '../../base/database/columns.js';
import type { Page } from '../../base/database/page.js';
import { isDuplicate } from '../../base/database/faults.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { type Ended, Holdings } from '../holdings/holdings.service.js';
import { type ClientChanges, type ClientValues, changed, initial } from './client-changes.js';
import { checkClient, checkSecret } from './client-rules.js';
import type { ClientSecret } from './client-secret.entity.js';
import { ClientSecrets } from './client-secrets.js';
import { Client } from './client.entity.js';

/** A client with the hashes of its secrets; those may have expired. */
export interface RegisteredClient {
  client: Client;
  secrets: ClientSecret[];
}

/** What a new client may be given; everything else has its default. */
export type NewClient = Pick<Client, 'id'> & Partial<ClientValues>;

/** A client after a change, its new secret if it got one, and what the change ended. */
export interface ChangedClient {
  client: Client;
  secret?: string;
  ended: Ended;
}

/** How long a change may take to show, in milliseconds. */
const CACHED_FOR = 2000;

/** Registers clients and looks them up. */
@Injectable()
export class ClientService {
  private readonly clients = this.database.repository(Client);
  private readonly present = this.database.statement<{ scopes: string; first_party: boolean | number }>(
    'SELECT scopes, first_party FROM auth_client WHERE id = ? AND disabled = ?',
  );
  private readonly cache: LRUCache<string, { client: Promise<RegisteredClient | undefined>; until: number }>;

  constructor(
    private readonly database: AuthDatabase,
    private readonly secrets: ClientSecrets,
    private readonly holdings: Holdings,
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
    const client = this.clients.create({ ...initial(values), disabled: false, created_at: this.clock.now() });
    const hasSecret = client.token_endpoint_auth_method === 'client_secret';
    checkClient(client);
    if (hasSecret) checkSecret(secret);
    await this.clients.insert(client).catch((error: unknown) => {
      throw isDuplicate(error) ? badField('id', 'PARAMETER_INVALID', 'is the id of another client') : error;
    });
    await this.secrets.removeAll(client.id); // one that was added to a former client of this id as it went
    if (hasSecret) await this.secrets.add(client.id, secret);
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
    return client ? { client, secrets: await this.secrets.of(id) } : undefined;
  }

  /**
   * What a client may be let in for at this very moment: asks the database, for who opens a session.
   * @returns undefined where it is disabled or gone
   */
  async standing(id: string): Promise<Pick<Client, 'scopes' | 'first_party'> | undefined> {
    const [row] = await this.present.all([id, false]);
    return row && { scopes: wordsOf(row.scopes), first_party: Boolean(row.first_party) };
  }

  /**
   * Changes what is given, and ends what rests on anything that the client loses: sessions with a scope that it may no
   * longer ask for; those with account access where it is the operator's own no longer; all of them where it becomes
   * public. Of `default_scope` what is left stays. Another way to authenticate takes the place of the one before: its
   * secrets or keys are gone. It shows within two seconds; nothing new is opened with what was lost.
   * @param secret for one that authenticates by a secret from now on, as for create()
   * @throws AuthError not_found; invalid_argument that names the field
   */
  async update(id: string, values: ClientChanges, secret = generateSecret()): Promise<ChangedClient> {
    const before = await this.clients.findOneBy({ id });
    if (!before) throw unknownClient();
    const client = changed(before, values);
    checkClient(client);
    const { token_endpoint_auth_method: method } = client;
    const hasNewMethod = method !== before.token_endpoint_auth_method;
    const getsSecret = hasNewMethod && method === 'client_secret';
    if (getsSecret) {
      checkSecret(secret);
      await this.secrets.removeAll(id);
      await this.secrets.add(id, secret);
    }
    // before the change as well: cut off after it, nobody would know any more what the client has lost
    const ended = [await this.holdings.endBeyond(client, before)];
    await this.write(before, client);
    ended.push(await this.holdings.endBeyond(client, before));
    if (hasNewMethod && !getsSecret) ended.push({ secrets: await this.secrets.removeAll(id) });
    this.cache.delete(id);
    await this.database.flush();
    return { client, ...(getsSecret ? { secret } : {}), ended: sum(ended) };
  }

  /**
   * Removes a client with all that is kept of it, in small batches; it is disabled first, so that nothing new is opened
   * meanwhile. Cut off half-way, it stays disabled, and another call does the rest. Its id is free afterwards, and nothing
   * of the former client works for who gets it.
   * @returns how much ended
   * @throws AuthError not_found
   */
  async delete(id: string): Promise<Ended> {
    if (!(await this.setDisabled(id, true))) throw unknownClient();
    const ended = await this.holdings.removeAll({ clientId: id });
    const secrets = await this.secrets.removeAll(id);
    await this.clients.delete({ id });
    this.cache.delete(id);
    await this.database.flush();
    return sum([ended, { secrets }]);
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
   * @throws AuthError not_found; invalid_argument where it has none
   */
  async rotateSecret(id: string, keepOld: number): Promise<string> {
    const client = await this.clients.findOneBy({ id });
    if (!client) throw unknownClient();
    if (client.token_endpoint_auth_method !== 'client_secret') {
      throw badField('id', 'PARAMETER_INVALID', 'is of a client that has no secret');
    }
    const secret = generateSecret();
    const now = this.clock.now();
    const last = keepOld === 0 ? 0 : now + keepOld * 1000; // at once on every node, whatever its clock says
    await this.secrets.expireOthers(id, await this.secrets.add(id, secret), last);
    this.cache.delete(id);
    await this.database.flush();
    return secret;
  }

  /** Writes what differs, and nothing else: somebody may be changing the rest. */
  private async write(before: Client, client: Client): Promise<void> {
    const differs = ([name, value]: [string, unknown]) => !isDeepStrictEqual(value, before[name as keyof Client]);
    const values = Object.fromEntries(Object.entries(client).filter(differs)) as Partial<Client>;
    if (Object.keys(values).length === 0) return;
    const { affected } = await this.clients.update({ id: client.id }, values);
    if (affected !== 1) throw unknownClient();
  }
}

function unknownClient(): AuthError {
  return new AuthError('not_found', { reason: 'CLIENT_UNKNOWN' });
}

function sum(all: Ended[]): Ended {
  const total: Ended = {};
  for (const [what, n] of all.flatMap((ended) => Object.entries(ended))) total[what] = (total[what] ?? 0) + n;
  return total;
}
