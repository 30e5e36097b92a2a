import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import { authMigrations } from 'nest-auth-service';
import { AccountsModule } from './accounts/accounts.module.js';
import { CreateAccounts1700000000000 } from './accounts/create-accounts.migration.js';
import { LottoModule } from './lotto/lotto.module.js';
import { TombolaModule } from './lotto/tombola.module.js';
import { PartnersModule } from './partners/partners.module.js';
import { RollbackController } from './rollback.controller.js';
import { settings } from './settings.js';

/** An application with ways of its own, into which AuthModule is to fit. */
@Module({
  imports: [
    TypeOrmModule.forRoot({
      ...settings.database,
      name: settings.dataSource,
      entityPrefix: settings.tablePrefix,
      autoLoadEntities: true,
      migrations: [CreateAccounts1700000000000, ...(settings.withoutAuth ? [] : authMigrations)],
      migrationsRun: true,
    }),
    ThrottlerModule.forRoot([{ limit: 60, ttl: 60_000 }]),
    AccountsModule,
    ...(settings.withoutAuth ? [] : [LottoModule, PartnersModule]),
    ...(settings.withTombola ? [TombolaModule] : []),
  ],
  controllers: [RollbackController],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})
export class AppModule {}
