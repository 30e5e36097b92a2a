import { Injectable } from '@nestjs/common';
import { In, LessThanOrEqual, MoreThan } from 'typeorm';
import type { Client } from '../../core/clients/client.entity.js';
import { Clock } from '../../base/clock.js';
import { AuthDatabase, BATCH } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { type Holder, Holds } from '../../core/holdings/holdings.service.js';
import { rowsOf, type Whose } from '../../core/sessions/whose.js';
import { Consent } from './consent.entity.js';
import type { PendingAuthorization } from './pending-authorization.js';
import { provesClient } from '../../core/codes/redirect-uri.js';

/** How coarse `used_at` is, in milliseconds, so that not every authorization writes. */
const TOUCHED_EVERY = 86_400_000;
/** How long a consent counts that nobody uses, in milliseconds: a year. Then the user is asked once more. */
const KEPT_FOR = 365 * 86_400_000;

/** Remembers what users have agreed to. */
@Injectable()
@Sweeps()
@Holds('consents')
export class ConsentService implements Holder {
  private readonly rows = this.database.repository(Consent);

  constructor(
    private readonly database: AuthDatabase,
    private readonly clock: Clock,
  ) {}

  /**
   * Whether the user has to be asked. An app that could be any app on the device is always asked about, whatever the
   * user said before and whoever's it claims to be (RFC 8252 §8.6, RFC 9700 §4.15).
   */
  async isNeeded(client: Client, sub: string, { prompt, scope, redirect_uri }: PendingAuthorization): Promise<boolean> {
    if (prompt.includes('consent')) return true;
    if (client.public && !provesClient(redirect_uri)) return true;
    if (client.first_party) return false;
    const given = await this.rows.findOneBy({ sub, client_id: client.id });
    // one from before the client was registered is about another client that had its name
    if (!given || given.given_at < client.created_at || !scope.every((word) => given.scope.includes(word))) return true;
    await this.touch(given);
    return false;
  }

  /** Adds to what was given before. Of two at once one may be forgotten, and the user is asked once more. */
  async give(client: Client, sub: string, scope: string[]): Promise<void> {
    const before = await this.rows.findOneBy({ sub, client_id: client.id });
    const all = [...new Set([...(before?.scope ?? []), ...scope])];
    const now = this.clock.now();
    const consent = { sub, client_id: client.id, scope: all, given_at: now, used_at: now };
    await this.rows.upsert(consent, ['sub', 'client_id']);
    await this.database.flush();
  }

  /** Forgets what a user has agreed to; who calls it ends what the client has, too (SignOutService.end). */
  async withdraw(clientId: string, sub: string): Promise<void> {
    await this.rows.delete({ sub, client_id: clientId });
    await this.database.flush();
  }

  /** Removes what a user has agreed to, or what users have agreed to for a client. @returns how many there were */
  async removeAll(of: Whose): Promise<number> {
    const { client_id, sub } = rowsOf(of);
    if (client_id === undefined || sub !== undefined) return (await this.rows.delete(rowsOf(of))).affected ?? 0;
    // a client's have no index of their own: once along the primary key, each batch from where the one before ended
    for (let removed = 0, last = ''; ;) {
      const where = { client_id, sub: MoreThan(last) };
      const rows = await this.rows.find({ select: { sub: true }, where, order: { sub: 'ASC' }, take: BATCH });
      if (rows.length === 0) return removed;
      last = rows.at(-1)!.sub;
      const { affected } = await this.rows.delete({ client_id, sub: In(rows.map((row) => row.sub)) });
      removed += affected ?? 0;
    }
  }

  /** Removes at most `batch` consents that were not used for a year: of users and clients that are gone, and the like. */
  async removeExpired(batch: number): Promise<number> {
    const unused = { used_at: LessThanOrEqual(this.clock.now() - KEPT_FOR) };
    const rows = await this.rows.find({ where: unused, take: batch });
    if (rows.length > 0) await this.rows.delete(rows.map(({ sub, client_id }) => ({ sub, client_id, ...unused })));
    return rows.length;
  }

  /** Not flushed: a power cut that takes this only brings the end nearer. */
  private async touch({ sub, client_id, used_at }: Consent): Promise<void> {
    const now = this.clock.now();
    if (now - used_at >= TOUCHED_EVERY) await this.rows.update({ sub, client_id }, { used_at: now });
  }
}
