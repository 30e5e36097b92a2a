import { IsDefined, Matches } from 'class-validator';
import {
  AuthError,
  Clock,
  type Grant,
  GrantHandler,
  grantScope,
  type Party,
  TokenIssuer,
  type TokenResponse,
} from 'nest-auth-service';

export const LOTTO = 'urn:example:grant-type:lotto';

export class LottoParameters {
  @IsDefined({ message: 'is required' })
  @Matches(/^\d{1,9}$/, { message: 'must be the number of a ticket' })
  ticket: string;
}

/** A winning ticket signs in as Ada; it is that kind of lottery. */
@GrantHandler(LOTTO, LottoParameters)
export class LottoGrant implements Grant<LottoParameters> {
  constructor(
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
  ) {}

  async exchange({ ticket }: LottoParameters, party: Party): Promise<TokenResponse> {
    if (ticket === '0') throw new AuthError('draw_closed', { reason: 'SOLD_OUT' });
    if (ticket !== '777') {
      throw new AuthError('access_denied', { reason: 'TICKET_LOST', hint: 'Try another ticket.' });
    }
    const scope = grantScope(party.client, undefined);
    const response = await this.tokens.signIn(party, { sub: 'account:ada', scope, authenticatedAt: this.clock.now() });
    return response!; // no code to consume
  }
}
