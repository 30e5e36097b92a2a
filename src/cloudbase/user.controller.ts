import { Get, Patch, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../base/http/auth-controller.js';
import { AccountService } from './accounts/account.service.js';
import { accessTokenInvalid } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { originOf } from '../base/http/origin.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { languageOf } from '../base/http/language.js';
import { Text } from '../base/http/rules.js';
import { validated } from '../base/http/validated.js';
import { AccessTokenGuard } from '../protection/access-token.guard.js';
import { BearerToken } from '../protection/guarded-request.js';
import { RequireLiveSession } from '../protection/rules.js';
import type { AccessToken } from '../core/sessions/access-token.js';
import { BearerThrottlerGuard } from './bearer-throttler.guard.js';
import { ParametersGuard } from '../base/http/parameters.guard.js';
import { networkPaying } from '../core/throttling/payer.js';
import { requireContact } from '../core/users/contact.js';
import { NewPasswordParameters, OwnParameters, ownValues, required } from './accounts/own-values.js';
import { Email, Password, PhoneNumber, Username } from '../core/users/rules.js';
import { Users } from '../core/users/users.js';
import { Callers } from './callers.js';
import { DisplayName, Gender, Picture, VerificationToken } from './rules.js';
import { consentedInfo, userInfo } from './user-info.js';
import { Operation } from '../base/openapi/operation.js';
import { SUDO, USER_INFO } from './cloudbase.models.js';

const SudoToken = () => Text({ max: 1024 });

class ProfileParameters extends OwnParameters {
  @SudoToken()
  sudo_token?: string;
}

class ProofParameters extends NewPasswordParameters {
  @Password()
  password?: string;

  @VerificationToken()
  verification_token?: string;

  @SudoToken()
  sudo_token?: string;

  @Email()
  email?: string;

  @PhoneNumber()
  phone_number?: string;
}

/** CloudBase's names for OwnParameters in one of its endpoints. */
class BasicParameters extends ProofParameters {
  @Username()
  username?: string;

  @DisplayName()
  nickname?: string;

  @Picture()
  avatar_url?: string;

  @Gender()
  gender?: string;

  @PhoneNumber()
  phone?: string;
}

/** The signed-in user's own account. */
@AuthController('user')
@UseFilters(AuthExceptionFilter)
@UseGuards(ParametersGuard, BearerThrottlerGuard, AccessTokenGuard)
@RequireLiveSession()
export class UserController {
  constructor(
    private readonly callers: Callers,
    private readonly users: Users,
    private readonly accounts: AccountService,
  ) {}

  @Get('me')
  @Operation({ summary: 'The profile of the user', by: 'user', answer: USER_INFO })
  async me(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange): Promise<void> {
    const profile = bearer.sid === undefined ? undefined : await this.users.profile(bearer.sub);
    if (!profile) throw accessTokenInvalid();
    http.json(200, bearer.account ? userInfo(profile) : consentedInfo(profile, bearer.scope.split(' ')));
  }

  @Post('sudo')
  @Operation({ summary: 'Prove once more who one is', by: 'user', body: ProofParameters, answer: SUDO })
  async sudo(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange): Promise<void> {
    await this.callers.requireAccount(bearer);
    const { password, verification_token } = validated(ProofParameters, http.parameters);
    const proof =
      verification_token === undefined
        ? { password: required('password', password) }
        : { verificationToken: verification_token };
    http.json(200, { sudo_token: await this.accounts.sudo(bearer, proof) });
  }

  @Patch('password')
  @Operation({ summary: 'A new password', by: 'user', body: ProofParameters, answer: 'nothing' })
  async password(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange) {
    await this.callers.requireAccount(bearer);
    const { sudo_token, new_password } = validated(ProofParameters, http.parameters);
    const sudo = required('sudo_token', sudo_token);
    await this.accounts.setPassword(bearer, sudo, required('new_password', new_password), originOf(http));
    http.json(200, {});
  }

  @Patch('profile')
  @Operation({ summary: 'Change the profile', by: 'user', body: ProfileParameters, answer: USER_INFO, refusals: [409] })
  async profile(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange) {
    await this.callers.requireAccount(bearer);
    const sent = validated(ProfileParameters, http.parameters);
    http.json(200, userInfo(await this.accounts.edit(bearer, ownValues(sent), sent, networkPaying(http))));
  }

  @Patch('contact')
  @Operation({
    summary: 'Another e-mail address or phone number',
    by: 'user',
    body: ProofParameters,
    answer: 'nothing',
    refusals: [404, 409],
  })
  async contact(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange) {
    await this.callers.requireAccount(bearer);
    const sent = validated(ProofParameters, http.parameters);
    const change = { to: requireContact(sent), language: languageOf(http) };
    const sudo = required('sudo_token', sent.sudo_token);
    await this.accounts.changeContact(bearer, change, sudo, required('verification_token', sent.verification_token));
    http.json(200, {});
  }

  /** One thing at a time: a password by the old one, a contact whose code this user has verified, or the profile. */
  @Post('basic/edit')
  @Operation({
    summary: 'Change one thing of the account',
    by: 'user',
    body: BasicParameters,
    answer: 'nothing',
    refusals: [404, 409],
  })
  async edit(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange): Promise<void> {
    await this.callers.requireAccount(bearer);
    const sent = validated(BasicParameters, http.parameters);
    const { username, nickname: name, avatar_url: picture, gender } = sent;
    const values = ownValues({ username, name, picture, gender });
    const phone_number = sent.phone ?? sent.phone_number;
    if (sent.new_password !== undefined) {
      await this.accounts.changePassword(
        bearer,
        required('password', sent.password),
        sent.new_password,
        originOf(http),
      );
    }
    if (sent.email !== undefined || phone_number !== undefined) {
      const change = { to: requireContact({ email: sent.email, phone_number }), language: languageOf(http) };
      await this.accounts.adoptVerified(bearer, change, sent);
    }
    if (Object.values(values).some((value) => value !== undefined)) {
      await this.accounts.edit(bearer, values, sent, networkPaying(http));
    }
    http.json(200, {});
  }
}
