import { IsDefined, IsOptional, Matches, MaxLength } from 'class-validator';
import { parseScope, SCOPE } from '../../core/clients/scope.js';
import { type Party, SessionService } from '../../core/sessions/session.service.js';
import { GrantHandler, type Grant } from '../grant.js';
import { TokenIssuer } from '../token-issuer.js';
import type { TokenResponse } from '../token-response.js';

export class RefreshTokenParameters {
  @IsDefined({ message: 'is required' })
  @MaxLength(512, { message: 'must be at most 512 characters' })
  refresh_token: string;

  @IsOptional()
  @MaxLength(1024, { message: 'must be at most 1024 characters' })
  @Matches(SCOPE, { message: 'must be words separated by single spaces' })
  scope?: string;

  @IsOptional()
  @MaxLength(512, { message: 'must be at most 512 characters' })
  nonce?: string;
}

/** Refreshing (RFC 6749 §6): a refresh token for its successor and a new access token. */
@GrantHandler('refresh_token', RefreshTokenParameters)
export class RefreshTokenGrant implements Grant<RefreshTokenParameters> {
  constructor(
    private readonly sessions: SessionService,
    private readonly tokens: TokenIssuer,
  ) {}

  async exchange({ refresh_token, scope, nonce }: RefreshTokenParameters, party: Party): Promise<TokenResponse> {
    const lease = await this.sessions.rotate(refresh_token, party, parseScope(scope));
    return this.tokens.forSession(party.client, lease, nonce);
  }
}
