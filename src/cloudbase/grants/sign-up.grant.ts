import { Audit } from '../../base/audit.js';
import { grantScope, Scope } from '../../core/clients/scope.js';
import { Clock } from '../../base/clock.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { ANONYMOUS_SCOPE, SIGN_UP } from '../grant-types.js';
import { givenByUser } from '../../core/sessions/account-access.js';
import type { Party } from '../../core/sessions/lease.js';
import { PresentedTokens } from '../../core/sessions/presented-tokens.js';
import { endedBy } from '../../core/sessions/ending.js';
import { SignOutService } from '../../core/sessions/sign-out.service.js';
import { GrantHandler, type Grant } from '../../token/grant.js';
import { Nonce, Token } from '../../token/rules.js';
import { TokenIssuer } from '../../token/token-issuer.js';
import type { TokenResponse } from '../../token/token-response.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import { requireContact } from '../../core/users/contact.js';
import { Email, NewPassword, PhoneNumber } from '../../core/users/rules.js';
import { OwnParameters, ownValues } from '../accounts/own-values.js';
import { VerificationToken } from '../rules.js';
import { VerificationService, verificationTokenInvalid } from '../verification/verification.service.js';

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
@GrantHandler(SIGN_UP, SignUpParameters, { captcha: 'sign_up' })
export class SignUpGrant implements Grant<SignUpParameters> {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly verifications: VerificationService,
    private readonly presented: PresentedTokens,
    private readonly signOuts: SignOutService,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  async exchange(parameters: SignUpParameters, party: Party): Promise<TokenResponse> {
    const { password, verification_token, anonymous_token, scope, nonce } = parameters;
    const contact = requireContact(parameters);
    const granted = grantScope(party.client, scope);
    const values = ownValues(parameters);
    const anonymous = anonymous_token === undefined ? undefined : await this.anonymousUser(anonymous_token, party);
    const users = this.users.table();
    // first of all the proof: without it nobody learns which names and addresses are taken
    const proof = { contact, token: verification_token, clientId: party.client.id };
    if (!(await this.verifications.tries('sign_up', proof))) throw verificationTokenInvalid();
    const consume = () => this.verifications.consume('sign_up', proof);
    const known = await this.users.directory().findByContact(contact);
    const session = { scope: granted, accountAccess: givenByUser(party.client, granted), nonce };
    const authenticatedAt = this.clock.now();
    if (known) {
      const { sub, version } = known;
      const response = await this.tokens.signIn(party, { ...session, sub, authenticatedAt, version, consume });
      if (!response) throw verificationTokenInvalid();
      return response;
    }
    if (values.username !== undefined && (await users.load(values.username))) {
      throw new AuthError('username_already_exists', { reason: 'USERNAME_TAKEN' }); // the token is not used up, but tells so five times
    }
    await party.useProof?.();
    if (!(await consume())) throw verificationTokenInvalid();
    const { sub, version } = await users.signUp(contact, { ...values, password }, anonymous);
    if (anonymous !== undefined)
      await this.signOuts.end({ sub: anonymous }, endedBy('user', 'CREDENTIALS_CHANGED', party));
    this.audit.record({ event: 'sign_up', requestId: party.requestId, clientId: party.client.id, sub });
    // not before the sign-ins of the anonymous user ended
    const response = await this.tokens.signIn(party, { ...session, sub, authenticatedAt: this.clock.now(), version });
    return response!; // the token is used up already
  }

  private async anonymousUser(anonymousToken: string, party: Party): Promise<string> {
    const token = await this.presented.parameter(anonymousToken, party);
    if (token?.account && token.scope === ANONYMOUS_SCOPE) return token.sub;
    throw badField('anonymous_token', 'PARAMETER_INVALID', 'must be a living access token of an anonymous user');
  }
}
