import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  SetMetadata,
} from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';
import { marked } from '../door.js';
import { DatabaseCare } from './database-care.js';

/** Rows a statement removes: few enough that a request behind it does not notice. */
const BATCH = 200;
/** Milliseconds between two batches. */
const PAUSE = 50;

/** Something with rows that expire. Mark its class with `@Sweeps()`. */
export interface Sweepable {
  /** Removes at most `batch` of them. @returns how many */
  removeExpired(batch: number): Promise<number>;
}

const SWEEPS = 'nest-auth:sweeps';

/** Makes a provider of any module a Sweepable. */
export const Sweeps: () => (target: new (...args: never[]) => Sweepable) => void = () => SetMetadata(SWEEPS, true);

/** Removes what has expired, in the background and in small batches. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Sweeper');
  private timer?: NodeJS.Timeout;
  private sweeping?: Promise<number>;
  private stopped = false;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly care: DatabaseCare,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  onApplicationBootstrap(): void {
    if (this.options.cleanupInterval === 0) return;
    this.timer = setInterval(() => {
      this.sweep().catch((error: unknown) => this.logger.warn({ msg: 'sweep failed', error: String(error) }));
    }, this.options.cleanupInterval * 1000);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.sweeping?.catch(() => undefined);
  }

  /** One sweep over everything; a call during a sweep joins it. @returns how many rows were removed */
  sweep(): Promise<number> {
    this.sweeping ??= this.run().finally(() => (this.sweeping = undefined));
    return this.sweeping;
  }

  private async run(): Promise<number> {
    let removed = 0;
    for (const room of marked<Sweepable>(this.discovery, SWEEPS)) {
      for (let n = BATCH; n === BATCH && !this.stopped; removed += n) {
        n = await room.removeExpired(BATCH);
        if (n === BATCH) await sleep(PAUSE);
      }
    }
    await this.care.boundLog();
    return removed;
  }
}
