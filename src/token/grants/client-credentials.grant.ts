import { grantScope, Scope } from '../../core/clients/scope.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Party } from '../../core/sessions/lease.js';
import { GrantHandler, type Grant } from '../grant.js';
import { TokenIssuer } from '../token-issuer.js';
import type { TokenResponse } from '../token-response.js';

export class ClientCredentialsParameters {
  @Scope()
  scope?: string;
}

/** Client credentials (RFC 6749 §4.4): an access token for the client itself. */
@GrantHandler('client_credentials', ClientCredentialsParameters)
export class ClientCredentialsGrant implements Grant<ClientCredentialsParameters> {
  constructor(private readonly tokens: TokenIssuer) {}

  async exchange({ scope }: ClientCredentialsParameters, party: Party): Promise<TokenResponse> {
    const { client } = party;
    // RFC 6749 §4.4: confidential clients only
    if (client.public) throw new AuthError('permission_denied', { reason: 'CLIENT_PUBLIC' });
    // openid is about a user, and there is none
    return this.tokens.forClient(
      party,
      grantScope(client, scope).filter((word) => word !== 'openid'),
    );
  }
}
