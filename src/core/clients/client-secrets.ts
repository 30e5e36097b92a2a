import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { IsNull, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { NeedsSecret, type SecretNeed } from '../../base/crypto/secret-need.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { ClientSecret } from './client-secret.entity.js';

/** What the hash of a client's secret is derived for. */
export const CLIENT_SECRET = purpose('client-secret');

/** Keeps the hashes of clients' secrets. */
@Injectable()
@Sweeps()
@NeedsSecret()
export class ClientSecrets {
  private readonly logger = new Logger('Clients');
  private readonly rows = this.database.repository(ClientSecret);

  constructor(
    private readonly database: AuthDatabase,
    private readonly serviceSecret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  /** All of a client's; some may have expired. */
  of(clientId: string): Promise<ClientSecret[]> {
    return this.rows.findBy({ client_id: clientId });
  }

  /** @returns the id of its row */
  async add(clientId: string, secret: string): Promise<string> {
    const id = randomUUID();
    await this.rows.insert({
      id,
      client_id: clientId,
      hash: this.serviceSecret.hash(CLIENT_SECRET, secret),
      hashed_under: this.serviceSecret.id,
      created_at: this.clock.now(),
      expires_at: null,
    });
    return id;
  }

  /** Lets every secret of a client but one expire, at the latest at a moment. */
  async expireOthers(clientId: string, kept: string, expires_at: number): Promise<void> {
    const others = (await this.of(clientId)).filter((row) => row.id !== kept);
    for (const { id } of others) {
      const later = [
        { id, expires_at: IsNull() },
        { id, expires_at: MoreThan(expires_at) },
      ];
      await this.rows.update(later, { expires_at });
    }
  }

  /** @returns how many still worked */
  async removeAll(clientId: string): Promise<number> {
    const now = this.clock.now();
    const alive = (await this.of(clientId)).filter(({ expires_at }) => expires_at === null || expires_at > now);
    await this.rows.delete({ client_id: clientId });
    return alive.length;
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
      await this.rows.update({ id, hash: before }, values);
    } catch (error) {
      this.logger.warn({ msg: "could not keep a client secret's hash anew", error: String(error) });
    }
  }

  /** The living secrets of which it is not known that they are hashed under the current service secret. */
  async needOfPrevious(): Promise<SecretNeed> {
    const notCurrent = [{ hashed_under: IsNull() }, { hashed_under: Not(this.serviceSecret.id) }];
    const alive = [IsNull(), MoreThan(this.clock.now())];
    const where = notCurrent.flatMap((of) => alive.map((expires_at) => ({ ...of, expires_at })));
    const rows = await this.rows.find({ where, order: { client_id: 'ASC' } });
    const clients = [...new Set(rows.map(({ client_id }) => client_id))];
    return { what: 'client secrets', count: rows.length, until: null, which: clients };
  }

  /** Removes at most `batch` secrets that no longer work. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.rows, 'id', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }
}
