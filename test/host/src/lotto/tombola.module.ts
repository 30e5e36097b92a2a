import { Module } from '@nestjs/common';
import { AuthError, type Grant, GrantHandler, type TokenResponse } from 'nest-auth-service';
import { LOTTO, LottoParameters } from './lotto.grant.js';

/** Somebody else's handler of the same grant_type. */
@GrantHandler(LOTTO, LottoParameters)
export class TombolaGrant implements Grant<LottoParameters> {
  exchange(): Promise<TokenResponse> {
    throw new AuthError('access_denied', { reason: 'TICKET_LOST' });
  }
}

@Module({ providers: [TombolaGrant] })
export class TombolaModule {}
