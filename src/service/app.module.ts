import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { getStorageToken } from '@nestjs/throttler';
import { MADE_DATABASE, prepareFile } from './database-file.js';
import { PROBED, probe } from './probe.js';
import { AuthModule } from '../auth.module.js';
import { AuthDatabase } from '../base/database/auth-database.js';
import { Clock } from '../base/clock.js';
import { RedisThrottlerStorage } from '../core/throttling/redis-throttler.storage.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { HealthController } from './health/health.controller.js';
import { secretFromFile } from './secret-file.js';
import type { Settings } from './settings.js';

/** The deployable service: the module, its database, health, and our error body for every route. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings): DynamicModule {
    const { databaseUrl, databasePool, newDatabase, redisUrl, auth } = settings;
    const made = prepareFile(databaseUrl, newDatabase); // before a secret is made for it
    const serving = newDatabase !== 'refuse';
    return {
      module: AppModule,
      imports: [
        AuthModule.forRoot({
          ...auth,
          openapi: false,
          databaseUrl,
          databasePool,
          secret: auth.secret ?? secretFromFile(serving),
          providers: redisUrl !== undefined && serving ? [sharedLimits(redisUrl)] : [],
        }),
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
      providers: [
        { provide: APP_FILTER, useClass: AuthExceptionFilter },
        { provide: MADE_DATABASE, useValue: made },
        ...(serving ? [{ provide: PROBED, useFactory: probe, inject: [AuthDatabase] }] : []),
      ],
    };
  }
}

function sharedLimits(url: string): Provider {
  return {
    provide: getStorageToken(),
    useFactory: (clock: Clock) => RedisThrottlerStorage.connect(url, clock),
    inject: [Clock],
  };
}
