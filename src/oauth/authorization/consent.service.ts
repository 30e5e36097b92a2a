import { Injectable } from '@nestjs/common';
import type { Client } from '../../core/clients/client.entity.js';
import { Clock } from '../../base/clock.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Consent } from './consent.entity.js';
import type { PendingAuthorization } from './pending-authorization.js';
import { provesClient } from '../../core/codes/redirect-uri.js';

/** Remembers what users have agreed to. */
@Injectable()
export class ConsentService {
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
    const given = await this.find(client.id, sub);
    return !scope.every((word) => given.includes(word));
  }

  /** Adds to what was given before. Of two at once one may be forgotten, and the user is asked once more. */
  async give(client: Client, sub: string, scope: string[]): Promise<void> {
    const all = [...new Set([...(await this.find(client.id, sub)), ...scope])];
    await this.rows.upsert({ sub, client_id: client.id, scope: all, given_at: this.clock.now() }, ['sub', 'client_id']);
    await this.database.flush();
  }

  /** Forgets what a user has agreed to; who calls it ends the client's sessions too (SessionService.revokeAll). */
  async withdraw(clientId: string, sub: string): Promise<void> {
    await this.rows.delete({ sub, client_id: clientId });
    await this.database.flush();
  }

  private async find(clientId: string, sub: string): Promise<string[]> {
    return (await this.rows.findOneBy({ sub, client_id: clientId }))?.scope ?? [];
  }
}
