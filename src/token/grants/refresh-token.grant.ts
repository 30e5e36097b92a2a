import { parseScope, Scope } from '../../core/clients/scope.js';
import type { Party } from '../../core/sessions/lease.js';
import { RefreshService } from '../../core/sessions/refresh.service.js';
import { GrantHandler, type Grant } from '../grant.js';
import { Code, Nonce } from '../rules.js';
import { TokenIssuer } from '../token-issuer.js';
import type { TokenResponse } from '../token-response.js';

export class RefreshTokenParameters {
  @Code()
  refresh_token: string;

  @Scope()
  scope?: string;

  @Nonce()
  nonce?: string;
}

/** Refreshing (RFC 6749 §6): a refresh token for its successor and a new access token. */
@GrantHandler('refresh_token', RefreshTokenParameters)
export class RefreshTokenGrant implements Grant<RefreshTokenParameters> {
  constructor(
    private readonly refreshing: RefreshService,
    private readonly tokens: TokenIssuer,
  ) {}

  async exchange({ refresh_token, scope, nonce }: RefreshTokenParameters, party: Party): Promise<TokenResponse> {
    const lease = await this.refreshing.rotate(refresh_token, party, parseScope(scope));
    return this.tokens.forSession(party.client, lease, nonce).catch(async (error: unknown) => {
      await this.refreshing.giveBack(lease).catch(() => undefined); // the fault is what the caller hears of
      throw error;
    });
  }
}
