import { Module } from '@nestjs/common';
import { AccessTokenGuard } from './access-token.guard.js';

/** Guarding routes, ours and a host's, with our access tokens. */
@Module({ providers: [AccessTokenGuard], exports: [AccessTokenGuard] })
export class ProtectionModule {}
