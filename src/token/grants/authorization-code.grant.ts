import { Audit } from '../../base/audit.js';
import { AuthorizationCodeService, verifierMatches } from '../../core/codes/authorization-code.service.js';
import { Clock } from '../../base/clock.js';
import { Text } from '../../base/http/rules.js';
import { checkKeyBinding } from '../../core/dpop/key-binding.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { isRegistered, provesClient } from '../../core/codes/redirect-uri.js';
import { stillAllowed } from '../../core/clients/scope.js';
import { givenByCode } from '../../core/sessions/account-access.js';
import type { Party } from '../../core/sessions/lease.js';
import { endedBy } from '../../core/sessions/ending.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { GrantHandler, type Grant } from '../grant.js';
import { Code, Nonce, RedirectUri } from '../rules.js';
import { TokenIssuer } from '../token-issuer.js';
import type { TokenResponse } from '../token-response.js';

/** RFC 7636 §4.1. */
const VERIFIER = { pattern: /^[A-Za-z0-9._~-]{43,}$/, description: 'must be 43 to 128 unreserved characters' };

export class AuthorizationCodeParameters {
  @Code()
  code: string;

  @RedirectUri()
  redirect_uri?: string;

  @Text({ max: 128, format: VERIFIER })
  code_verifier?: string;

  @Nonce()
  nonce?: string;
}

/** Authorization code (RFC 6749 §4.1.3) with PKCE (RFC 7636): a code for a session. */
@GrantHandler('authorization_code', AuthorizationCodeParameters)
export class AuthorizationCodeGrant implements Grant<AuthorizationCodeParameters> {
  constructor(
    private readonly codes: AuthorizationCodeService,
    private readonly sessions: SessionService,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  async exchange(parameters: AuthorizationCodeParameters, party: Party): Promise<TokenResponse> {
    const { code: presented, redirect_uri, code_verifier, nonce } = parameters;
    const code = await this.codes.find(presented);
    // RFC 6749 §4.1.3: bound to the client, the redirect_uri and (RFC 7636 §4.6) the verifier; a mismatch uses nothing up
    if (!code || code.client_id !== party.client.id) throw new AuthError('invalid_grant', { reason: 'CODE_INVALID' });
    // the client may have lost since what it had when the code was issued: the URI, a scope, or its secret
    if (code.redirect_uri !== redirect_uri || !isRegistered(party.client.redirect_uris, redirect_uri)) {
      throw new AuthError('invalid_grant', { reason: 'REDIRECT_URI_MISMATCH' });
    }
    const isUnbound = party.client.public && code.code_challenge === null;
    if (isUnbound || !verifierMatches(code.code_challenge, code_verifier)) {
      throw new AuthError('invalid_grant', { reason: 'CODE_VERIFIER_MISMATCH' });
    }
    checkKeyBinding(code.dpop_jkt, party.dpopJkt);
    if (code.session_id !== null) throw await this.replayed(presented, party);
    if (code.expires_at <= this.clock.now()) throw new AuthError('invalid_grant', { reason: 'CODE_EXPIRED' });
    const response = await this.tokens.signIn(party, {
      sub: code.sub,
      scope: stillAllowed(party.client, code.scope),
      authenticatedAt: code.authenticated_at,
      version: code.credentials_version,
      accountAccess: givenByCode(party.client, code.scope, !party.client.public || provesClient(code.redirect_uri)),
      nonce: code.nonce ?? nonce,
      browserSessionId: code.browser_session_id ?? undefined,
      consume: (sessionId) => this.codes.consume(code, sessionId),
    });
    if (!response) throw await this.replayed(presented, party);
    return response;
  }

  /** RFC 6749 §4.1.2: a code used twice revokes what its first use gave. */
  private async replayed(presented: string, party: Party): Promise<AuthError> {
    const sessionId = (await this.codes.find(presented))?.session_id;
    if (!sessionId) return new AuthError('invalid_grant', { reason: 'CODE_EXPIRED' }); // ran out as we looked
    await this.sessions.revoke(sessionId, endedBy('server', 'CODE_REUSED', party));
    const { client, requestId } = party;
    this.audit.record({ event: 'authorization_code_reused', requestId, clientId: client.id, sessionId });
    return new AuthError('invalid_grant', { reason: 'CODE_REUSED' });
  }
}
