import { Module } from '@nestjs/common';
import { AuthFeature, type ErrorTable } from 'nest-auth-service';
import { HostAuthModule } from '../host-auth.module.js';
import { LottoGrant } from './lotto.grant.js';

const LOTTO_ERRORS = {
  draw_closed: {
    error: 'draw_closed',
    status: 409,
    code: 9, // google.rpc.Code
    error_code: 40990, // the status and a number of yours
    oauth: { error: 'invalid_grant', status: 400 }, // under /oauth2
    sentence: { en: 'The draw is closed.', 'zh-CN': '本期已截止。' },
    reasons: {},
  },
  // a reason of a row that is there already
  access_denied: { reasons: { TICKET_LOST: { en: 'The ticket lost.', 'zh-CN': '未中奖。' } } },
} satisfies ErrorTable;

declare module 'nest-auth-service' {
  interface ErrorTables {
    lotto: typeof LOTTO_ERRORS; // now `new AuthError('draw_closed', …)` type-checks
  }
}

@AuthFeature({ errors: LOTTO_ERRORS })
@Module({ imports: [HostAuthModule], providers: [LottoGrant] })
export class LottoModule {}
