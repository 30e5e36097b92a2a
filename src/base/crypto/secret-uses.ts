import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { Clock } from '../clock.js';
import { AuthDatabase } from '../database/auth-database.js';
import { isDuplicate } from '../database/faults.js';
import { marked } from '../door.js';
import { NEEDS_SECRET, type SecretNeed, type SecretNeeder } from './secret-need.js';
import { SecretUse } from './secret-use.entity.js';
import { longestNeed, ServiceSecret } from './service-secret.js';

/** How often a process says which secret it makes things under, in milliseconds. */
const NOTED_EVERY = 60_000;
/** How far apart the clocks of two processes may be, in milliseconds. */
const CLOCKS_APART = 30_000;

/** What a change of the service secret has come to. Moments are in milliseconds since the Unix epoch. */
export interface SecretStatus {
  /** Since when things are made under the current secret; null: no service was started with it. */
  current_since: number | null;
  has_previous: boolean;
  /** When something was last made under the previous secret, as far as was noted; null: it was not. */
  previous_used_at: number | null;
  /** What may still need the previous secret. */
  needs: SecretNeed[];
}

/** Remembers which service secret was in use when, so that one can tell what still needs the previous one. */
@Injectable()
export class SecretUses implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Secret');
  private readonly rows = this.database.repository(SecretUse);
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    private readonly discovery: DiscoveryService,
    private readonly server: HttpAdapterHost,
  ) {}

  /** A process that answers requests makes things; one that only looks at the database writes nothing. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.server.httpAdapter) return;
    await this.note();
    if (this.secret.previousId === undefined) return; // whoever exchanges the secret starts all of them anew
    this.timer = setInterval(() => {
      this.note().catch((error: unknown) =>
        this.logger.warn({ msg: 'could not note which secret is in use', error: String(error) }),
      );
    }, NOTED_EVERY);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Notes that things are made under the current secret at this moment. */
  async note(): Promise<void> {
    const now = this.clock.now();
    const { id } = this.secret;
    const { affected } = await this.rows.update({ id }, { last_used_at: now });
    if (affected === 1) return;
    try {
      await this.rows.insert({ id, first_used_at: now, last_used_at: now });
    } catch (error) {
      if (!isDuplicate(error)) throw error; // another process was first
    }
  }

  async status(): Promise<SecretStatus> {
    const { id, previousId } = this.secret;
    const current = await this.rows.findOneBy({ id });
    const previous = previousId === undefined ? null : await this.rows.findOneBy({ id: previousId });
    return {
      current_since: current?.first_used_at ?? null,
      has_previous: previousId !== undefined,
      previous_used_at: previous?.last_used_at ?? null,
      needs: previousId === undefined ? [] : await this.needs(current, previous),
    };
  }

  private async needs(current: SecretUse | null, previous: SecretUse | null): Promise<SecretNeed[]> {
    const now = this.clock.now();
    // a release that noted nothing may have used the previous one until the current one came
    const last = current ? Math.max(current.first_used_at, previous?.last_used_at ?? 0) : now;
    const before = Math.min(now, last + NOTED_EVERY + CLOCKS_APART);
    const needs: SecretNeed[] = [];
    for (const needer of marked<SecretNeeder>(this.discovery, NEEDS_SECRET)) {
      needs.push(await needer.needOfPrevious(before));
    }
    const until = before + longestNeed();
    if (until > now) needs.push({ what: 'pages, forms and codes', count: null, until });
    return needs.filter(({ count }) => count !== 0);
  }
}
