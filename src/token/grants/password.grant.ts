import { Audit } from '../../base/audit.js';
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
import { refusalOf } from '../../core/users/users.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { Attempts } from '../../core/throttling/attempts.js';

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
@GrantHandler('password', PasswordParameters, { captcha: 'sign_in' })
export class PasswordGrant implements Grant<PasswordParameters> {
  constructor(
    private readonly attempts: Attempts,
    private readonly sessions: SessionService,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  async exchange({ username, password, scope, nonce }: PasswordParameters, party: Party): Promise<TokenResponse> {
    const granted = grantScope(party.client, scope);
    const authenticatedAt = this.clock.now(); // before the check, so that a password change during it counts
    const user = await this.attempts.password(username, password, (sub) => this.sessions.knownDevice(sub, party));
    if (!user) throw this.refuse(party, new AuthError('invalid_argument', { reason: 'WRONG_USERNAME_OR_PASSWORD' }));
    const refusal = refusalOf(user);
    if (refusal) throw this.refuse(party, refusal, user.sub);
    const { sub, version } = user;
    const accountAccess = givenByUser(party.client, granted);
    const session = { sub, scope: granted, authenticatedAt, version, accountAccess, nonce };
    const response = await this.tokens.signIn(party, session);
    return response!; // no code to consume
  }

  private refuse({ client, requestId }: Party, refusal: AuthError, sub?: string): AuthError {
    const { reason } = refusal;
    this.audit.record({ event: 'sign_in_failed', requestId, clientId: client.id, sub, grantType: 'password', reason });
    return refusal;
  }
}
