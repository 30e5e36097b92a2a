import { Module, type NestModule } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { Audit, AuditSink } from './audit.js';
import { AUTH_OPTIONS, ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, resolveOptions } from './auth.options.js';
import { Clock } from './clock.js';
import { SecretUse } from './crypto/secret-use.entity.js';
import { SecretUses } from './crypto/secret-uses.js';
import { ServiceSecret } from './crypto/service-secret.js';
import { AuthDatabase } from './database/auth-database.js';
import { DatabaseCare } from './database/database-care.js';
import { Heartbeat } from './database/heartbeat.entity.js';
import { Sweeper } from './database/sweeper.js';
import { AuthExceptionFilter } from './errors/auth-exception.filter.js';
import { BASE_ERRORS } from './errors/base.errors.js';
import { Catalogue } from './errors/catalogue.js';
import { AuthFeature } from './feature.js';
import { PrefixCheck } from './http/prefix-check.js';
import { ROUTE_PREFIX } from './http/route-prefix.js';
import { MountedRoutes } from './http/mounted-routes.js';
import { DESCRIBED, describeOurs, OPENAPI } from './openapi/openapi.js';
import { CreateHeartbeat1764000007001 } from './migrations/1764000007001-create-heartbeat.js';
import { RememberSecrets1764000011000 } from './migrations/1764000011000-remember-secrets.js';

/** What every other wing stands on; it knows none of them. AuthDatabase, ROUTE_PREFIX and OPENAPI come with the host. */
@AuthFeature({
  entities: [Heartbeat, SecretUse],
  migrations: [CreateHeartbeat1764000007001, RememberSecrets1764000011000],
  errors: BASE_ERRORS,
  commands: [() => import('./crypto/secret.commands.js')],
})
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: AUTH_OPTIONS, useFactory: resolveOptions, inject: [MODULE_OPTIONS_TOKEN] },
    Clock,
    AuditSink,
    Audit,
    ServiceSecret,
    SecretUses,
    Catalogue,
    AuthExceptionFilter,
    MountedRoutes,
    PrefixCheck,
    Sweeper,
    DatabaseCare,
    { provide: DESCRIBED, useFactory: describeOurs, inject: [ModulesContainer, OPENAPI] },
  ],
  exports: [
    AUTH_OPTIONS,
    ROUTE_PREFIX,
    Clock,
    Audit,
    AuditSink,
    ServiceSecret,
    SecretUses,
    Catalogue,
    AuthExceptionFilter,
    Sweeper,
    AuthDatabase,
    DatabaseCare,
  ],
})
export class BaseModule extends ConfigurableModuleClass implements NestModule {
  constructor(private readonly routes: MountedRoutes) {
    super();
  }

  /** The last moment before Nest registers the routes. No middleware comes of it. */
  configure(): void {
    this.routes.fit();
  }
}
