import { Controller, Get, Logger } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult, HealthIndicatorService } from '@nestjs/terminus';
import { AuthDatabase } from '../../base/database/auth-database.js';

/** Whether the process is alive, and whether it can serve. */
@Controller('health')
export class HealthController {
  private readonly logger = new Logger('Health');

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: AuthDatabase,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** The way that requests go: it writes, by their connection and with their patience. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    const database = this.indicators.check('database');
    return this.health.check([
      () =>
        this.database.check().then(
          () => database.up(),
          (error: unknown) => {
            this.logger.warn({ msg: 'not ready', error: String(error) });
            return database.down();
          },
        ),
    ]);
  }
}
