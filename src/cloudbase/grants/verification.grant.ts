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
import { VerificationService } from '../verification/verification.service.js';

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
@GrantHandler(VERIFICATION, VerificationParameters)
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
    const user = await this.users.directory().findByContact(contact);
    const consume = () => this.verifications.consume(contact, verification_token);
    const accountAccess = givenByUser(party.client, granted);
    const response = user
      ? await this.tokens.signIn(party, {
          sub: user.sub,
          scope: granted,
          authenticatedAt,
          accountAccess,
          nonce,
          consume,
        })
      : undefined;
    if (response) return response;
    // only who has proven that the address is theirs learns that nobody signs in by it
    if (!user && (await consume())) throw new AuthError('user_not_found', { reason: 'USER_UNKNOWN' });
    throw new AuthError('invalid_verification_code', { reason: 'VERIFICATION_TOKEN_INVALID' });
  }
}
