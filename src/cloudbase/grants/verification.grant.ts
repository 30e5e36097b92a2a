import { VERIFICATION } from '../grant-types.js';
import { grantScope, Scope } from '../../core/clients/scope.js';
import { Clock } from '../../base/clock.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { givenByUser } from '../../core/sessions/account-access.js';
import type { Party } from '../../core/sessions/lease.js';
import { GrantHandler, type Grant } from '../../token/grant.js';
import { Nonce } from '../../token/rules.js';
import { TokenIssuer } from '../../token/token-issuer.js';
import type { TokenResponse } from '../../token/token-response.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import { contactOf } from '../../core/users/contact.js';
import { Username } from '../../core/users/rules.js';
import { VerificationToken } from '../rules.js';
import { VerificationService, verificationTokenInvalid } from '../verification/verification.service.js';

export class VerificationParameters {
  @Username({ required: true })
  username: string;

  @VerificationToken({ required: true })
  verification_token: string;

  @Scope()
  scope?: string;

  @Nonce()
  nonce?: string;
}

/** Signs in who has proven their e-mail address or phone number by a code. */
@GrantHandler(VERIFICATION, VerificationParameters, { captcha: 'sign_in' })
export class VerificationGrant implements Grant<VerificationParameters> {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly verifications: VerificationService,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
  ) {}

  async exchange(parameters: VerificationParameters, party: Party): Promise<TokenResponse> {
    const { username, verification_token, scope, nonce } = parameters;
    const granted = grantScope(party.client, scope);
    const contact = contactOf(username);
    if (!contact) throw badField('username', 'PARAMETER_INVALID', 'must be an e-mail address or a phone number');
    const authenticatedAt = this.clock.now();
    // the proof before anything else: only who has given it learns, in the answer or in its time, who signs in by it
    const proof = { contact, token: verification_token, clientId: party.client.id };
    if (!(await this.verifications.consume('sign_in', proof))) {
      throw verificationTokenInvalid();
    }
    const user = await this.users.directory().findByContact(contact);
    if (!user) throw new AuthError('user_not_found', { reason: 'USER_UNKNOWN' });
    const { sub, version } = user;
    const accountAccess = givenByUser(party.client, granted);
    const session = { sub, scope: granted, authenticatedAt, version, accountAccess, nonce };
    const response = await this.tokens.signIn(party, session);
    return response!; // the token is used up already
  }
}
