import { AuditSink } from '../../base/audit.js';
import { grantScope, Scope } from '../../core/clients/scope.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { PRINTABLE } from '../../base/http/rules.js';
import { givenByUser } from '../../core/sessions/account-access.js';
import type { Party } from '../../core/sessions/lease.js';
import { GrantHandler, type Grant } from '../grant.js';
import { Nonce } from '../rules.js';
import { TokenIssuer } from '../token-issuer.js';
import type { TokenResponse } from '../token-response.js';
import { Password, Username } from '../../core/users/rules.js';
import { normalizeUsername } from '../../core/users/username.js';
import { Users } from '../../core/users/users.js';

export class PasswordParameters {
  @Username({ required: true, format: PRINTABLE })
  username: string;

  @Password({ required: true, format: PRINTABLE })
  password: string;

  @Scope()
  scope?: string;

  @Nonce()
  nonce?: string;
}

/** Resource owner password credentials (RFC 6749 §4.3): username and password for a session. */
@GrantHandler('password', PasswordParameters)
export class PasswordGrant implements Grant<PasswordParameters> {
  constructor(
    private readonly users: Users,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
    private readonly audit: AuditSink,
  ) {}

  async exchange({ username, password, scope, nonce }: PasswordParameters, party: Party): Promise<TokenResponse> {
    const granted = grantScope(party.client, scope);
    const authenticatedAt = this.clock.now(); // before the check, so that a password change during it counts
    const user = await this.users.verify(normalizeUsername(username), password);
    if (!user) throw this.refuse(party, 'invalid_argument', 'WRONG_USERNAME_OR_PASSWORD');
    if (user.disabled) throw this.refuse(party, 'permission_denied', 'USER_DISABLED', user.sub);
    if (user.pending) throw this.refuse(party, 'user_pending', 'USER_PENDING', user.sub);
    const accountAccess = givenByUser(party.client, granted);
    const session = { sub: user.sub, scope: granted, authenticatedAt, accountAccess, nonce };
    const response = await this.tokens.signIn(party, session);
    return response!; // no code to consume
  }

  private refuse(
    party: Party,
    code: 'invalid_argument' | 'permission_denied' | 'user_pending',
    reason: string,
    sub?: string,
  ): AuthError {
    const { client, requestId } = party;
    this.audit.record({ event: 'sign_in_failed', requestId, clientId: client.id, sub, grantType: 'password', reason });
    return new AuthError(code, { reason });
  }
}
