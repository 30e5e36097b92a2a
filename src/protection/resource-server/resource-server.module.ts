import { Module } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { DpopProofService } from '../../core/dpop/dpop-proof.service.js';
import { UsedJtis } from '../../core/replay/used-jtis.js';
import { AccessTokenReader } from '../../core/sessions/access-token.js';
import { PresentedTokens } from '../../core/sessions/presented-tokens.js';
import { AccessTokenGuard } from '../access-token.guard.js';
import { MemoryUsedJtis } from './memory-used-jtis.js';
import { RemoteAccessTokens } from './remote-access-tokens.js';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  RESOURCE_SERVER_OPTIONS,
  type ResolvedResourceServerOptions,
  resolveOptions,
} from './resource-server.options.js';

/** Guarding the routes of another service than the one that issues the tokens: without a database, and without a secret. */
@Module({
  providers: [
    { provide: RESOURCE_SERVER_OPTIONS, useFactory: resolveOptions, inject: [MODULE_OPTIONS_TOKEN] },
    Clock,
    { provide: UsedJtis, useClass: MemoryUsedJtis },
    { provide: AccessTokenReader, useClass: RemoteAccessTokens },
    {
      provide: DpopProofService,
      useFactory: (used: UsedJtis, clock: Clock, { url }: ResolvedResourceServerOptions) =>
        new DpopProofService(used, clock, { issuer: url, audience: url }),
      inject: [UsedJtis, Clock, RESOURCE_SERVER_OPTIONS],
    },
    PresentedTokens,
    AccessTokenGuard,
  ],
  exports: [AccessTokenGuard, AccessTokenReader, PresentedTokens, Clock],
})
export class ResourceServerModule extends ConfigurableModuleClass {}
