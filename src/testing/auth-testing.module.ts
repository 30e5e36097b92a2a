import { type DynamicModule, Module } from '@nestjs/common';
import type { AuthOptions } from '../base/auth.options.js';
import { BaseModule } from '../base/base.module.js';
import { Clock } from '../base/clock.js';
import { AuthDatabase } from '../base/database/auth-database.js';
import { featureOf } from '../base/feature.js';
import { stacked } from '../auth.module.js';
import type { AuthModuleExtras } from '../host-providers.js';
import { authSchema, wings } from '../wings.js';
import { TestClock } from './test-clock.js';

/**
 * The whole of AuthModule for a test: an issuer in memory, with no file, no data source and no server, a clock to move
 * (`app.get(Clock)`, a TestClock) and the codes it has sent (`app.get(VerificationSender)`, an Inbox). Wants `sqlite3`.
 *
 * @example Test.createTestingModule({ imports: [AppModule] }).overrideModule(auth).useModule(AuthTestingModule.forRoot())
 */
@Module({})
export class AuthTestingModule {
  /** @param options as for AuthModule, each with a default; `dataSource` is not used */
  static forRoot(options: Partial<AuthOptions> & Omit<AuthModuleExtras, 'dataSource'> = {}): DynamicModule {
    const { without = [], providers = [] } = options;
    const schema = authSchema({ without });
    const ours = [
      { provide: Clock, useClass: TestClock },
      ...wings(without).flatMap((wing) => featureOf(wing).inTests ?? []),
    ];
    const base = BaseModule.forRoot({
      issuer: 'http://localhost',
      secret: 'the secret of tests, which is no secret',
      limitIp: false,
      limitAccount: false,
      cleanupInterval: 0,
      ...options,
    });
    const database = { provide: AuthDatabase, useFactory: () => AuthDatabase.inMemory(schema) };
    // the later of two providers of one token counts, which is the test's own
    return stacked(
      AuthTestingModule,
      base,
      { openapi: false, ...options, providers: [...ours, ...providers] },
      database,
    );
  }
}
