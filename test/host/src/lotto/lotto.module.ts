import { Module } from '@nestjs/common';
import { HostAuthModule } from '../host-auth.module.js';
import { LottoGrant } from './lotto.grant.js';

@Module({ imports: [HostAuthModule], providers: [LottoGrant] })
export class LottoModule {}
