import { AuditSink } from '../../base/audit.js';
import { ANONYMOUS_SCOPE, SIGN_UP } from '../grant-types.js';
import { grantScope, Scope } from '../../core/clients/scope.js';
import { Clock } from '../../base/clock.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { AccessTokenService } from '../../core/sessions/access-token.service.js';
import { givenByUser } from '../../core/sessions/account-access.js';
import type { Party } from '../../core/sessions/lease.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { GrantHandler, type Grant } from '../../token/grant.js';
import { Nonce, Token } from '../../token/rules.js';
import { TokenIssuer } from '../../token/token-issuer.js';
import type { TokenResponse } from '../../token/token-response.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import { requireContact } from '../../core/users/contact.js';
import { Email, NewPassword, PhoneNumber } from '../../core/users/rules.js';
import { OwnParameters, ownValues } from '../accounts/own-values.js';
import { VerificationToken } from '../rules.js';
import { VerificationService } from '../verification/verification.service.js';

export class SignUpParameters extends OwnParameters {
  @Email()
  email?: string;

  @PhoneNumber()
  phone_number?: string;

  @VerificationToken({ required: true })
  verification_token: string;

  @NewPassword()
  password?: string;

  /** Access token of an anonymous user who becomes this one. */
  @Token()
  anonymous_token?: string;

  @Scope()
  scope?: string;

  @Nonce()
  nonce?: string;
}

/** Signs up who has proven an e-mail address or phone number, and in whoever has an account by it already. */
@GrantHandler(SIGN_UP, SignUpParameters)
export class SignUpGrant implements Grant<SignUpParameters> {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly verifications: VerificationService,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: SessionService,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
    private readonly audit: AuditSink,
  ) {}

  async exchange(parameters: SignUpParameters, party: Party): Promise<TokenResponse> {
    const { password, verification_token, anonymous_token, scope, nonce } = parameters;
    const contact = requireContact(parameters);
    const granted = grantScope(party.client, scope);
    const values = ownValues(parameters);
    const anonymous = anonymous_token === undefined ? undefined : await this.anonymousUser(anonymous_token);
    const users = this.users.table();
    // first of all the proof: without it nobody learns which names and addresses are taken
    if (!(await this.verifications.holds(contact, verification_token))) throw wrongToken();
    const consume = () => this.verifications.consume(contact, verification_token);
    const known = await this.users.directory().findByContact(contact);
    const session = { scope: granted, accountAccess: givenByUser(party.client, granted), nonce };
    const authenticatedAt = this.clock.now();
    if (known) {
      const response = await this.tokens.signIn(party, { ...session, sub: known.sub, authenticatedAt, consume });
      if (!response) throw wrongToken();
      return response;
    }
    if (values.username !== undefined && (await users.load(values.username))) {
      throw new AuthError('username_already_exists', { reason: 'USERNAME_TAKEN' }); // the token is not used up
    }
    if (!(await consume())) throw wrongToken();
    const { sub } = await users.signUp(contact, { ...values, password }, anonymous);
    if (anonymous !== undefined) await this.sessions.revokeAll({ sub: anonymous });
    this.audit.record({ event: 'sign_up', requestId: party.requestId, clientId: party.client.id, sub });
    // not before the sign-ins of the anonymous user ended
    const response = await this.tokens.signIn(party, { ...session, sub, authenticatedAt: this.clock.now() });
    return response!; // the token is used up already
  }

  private async anonymousUser(anonymousToken: string): Promise<string> {
    const token = await this.accessTokens.verify(anonymousToken);
    if (token?.account && token.scope === ANONYMOUS_SCOPE && (await this.accessTokens.isLive(token))) return token.sub;
    throw badField('anonymous_token', 'PARAMETER_INVALID', 'must be a living access token of an anonymous user');
  }
}

function wrongToken(): AuthError {
  return new AuthError('invalid_verification_code', { reason: 'VERIFICATION_TOKEN_INVALID' });
}
