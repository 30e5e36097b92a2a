import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';
import { AuthorizationCodeService } from '../../core/codes/authorization-code.service.js';
import { PushedRequestService } from '../../oauth/authorization/pushed-request.service.js';
import { BrowserSessionService } from '../../oauth/browser/browser-session.service.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';
import { KeyService } from '../../core/keys/key.service.js';
import { UsedJtiService } from '../../core/replay/used-jti.service.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { VerificationService } from '../../cloudbase/verification/verification.service.js';

/** Rows a statement removes: few enough that a request behind it does not notice. */
const BATCH = 200;
/** Milliseconds between two batches. */
const PAUSE = 50;

/** Removes what has expired, in the background and in small batches. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Sweeper');
  private timer?: NodeJS.Timeout;
  private sweeping?: Promise<number>;
  private stopped = false;

  constructor(
    private readonly sessions: SessionService,
    private readonly codes: AuthorizationCodeService,
    private readonly devices: DeviceAuthorizationService,
    private readonly usedJtis: UsedJtiService,
    private readonly pushed: PushedRequestService,
    private readonly browsers: BrowserSessionService,
    private readonly verifications: VerificationService,
    private readonly keys: KeyService,
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
    let removed = await this.keys.removeExpired();
    const rooms = [
      this.sessions,
      this.codes,
      this.devices,
      this.usedJtis,
      this.pushed,
      this.browsers,
      this.verifications,
    ];
    for (const room of rooms) {
      for (let n = BATCH; n === BATCH && !this.stopped; removed += n) {
        n = await room.removeExpired(BATCH);
        if (n === BATCH) await sleep(PAUSE);
      }
    }
    return removed;
  }
}
