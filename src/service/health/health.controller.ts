import { Controller, Get, Logger } from '@nestjs/common';
import { Public } from '../../base/http/public.js';
import { HealthCheck, HealthCheckService, type HealthCheckResult, HealthIndicatorService } from '@nestjs/terminus';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Limits } from '../../core/throttling/limits.js';

/** Whether the process is alive, and whether it can serve. */
@Controller('health')
@Public()
export class HealthController {
  private readonly logger = new Logger('Health');

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: AuthDatabase,
    private readonly limits: Limits,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * The way that requests go: it writes, by their connection and with their patience. Limits that each process has for
   * itself, though they are meant to be shared, are told, and no reason to take it out.
   */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    const database = this.indicators.check('database');
    const { isShared } = this.limits;
    const limits = isShared === undefined ? [] : [() => this.indicators.check('limits').up({ shared: isShared })];
    return this.health.check([
      () =>
        this.database.check().then(
          () => database.up(),
          (error: unknown) => {
            this.logger.warn({ msg: 'not ready', error: String(error) });
            return database.down();
          },
        ),
      ...limits,
    ]);
  }
}
