import { Get, Inject, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { AccountService } from '../accounts/account.service.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { ANONYMOUS_SCOPE, SIGN_UP, VERIFICATION } from '../grant-types.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../../base/errors/auth-exception.filter.js';
import { originOf } from '../../base/http/origin.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { languageOf } from '../../base/http/language.js';
import { validated } from '../../base/http/validated.js';
import type { Client } from '../../core/clients/client.entity.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { CaptchaService } from '../../core/captcha/captcha.service.js';
import { Limits } from '../../core/throttling/limits.js';
import { networkPaying } from '../../core/throttling/payer.js';
import { BearerThrottlerGuard } from '../bearer-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import { requireContact } from '../../core/users/contact.js';
import { NewPasswordParameters, required } from '../accounts/own-values.js';
import { isWanted, purposeOf } from './verification-purpose.js';
import { VERIFICATION_TTL, VerificationService } from './verification.service.js';
import { Callers } from '../callers.js';
import { Text } from '../../base/http/rules.js';
import { Email, PhoneNumber, Username } from '../../core/users/rules.js';
import { VerificationToken } from '../rules.js';
import { Operation } from '../../base/openapi/operation.js';
import { USER_EXISTS, VERIFICATION_STARTED, VERIFIED } from '../cloudbase.models.js';

const TARGET = {
  pattern: /^(ANY|USER|NOT_USER|CUR_USER)$/,
  description: 'must be ANY, USER, NOT_USER or CUR_USER',
};
const SIX_DIGITS = { pattern: /^\d{6}$/, description: 'must be six digits' };

class ContactParameters extends NewPasswordParameters {
  @Email()
  email?: string;

  @PhoneNumber()
  phone_number?: string;

  @Text({ format: TARGET })
  target?: string;

  @Text({ max: 32 })
  usage?: string;

  @VerificationToken()
  verification_token?: string;
}

class CodeParameters {
  @Text({ max: 64, required: true })
  verification_id: string;

  @Text({ required: true, format: SIX_DIGITS })
  verification_code: string;
}

class UsernameParameters {
  @Username({ required: true })
  username: string;
}

/** Proving that an e-mail address or phone number is one's own, and what can be done with the proof alone. */
@AuthController('')
@UseFilters(AuthExceptionFilter)
export class VerificationController {
  constructor(
    private readonly callers: Callers,
    private readonly verifications: VerificationService,
    private readonly users: BuiltInUsers,
    private readonly accounts: AccountService,
    private readonly captcha: CaptchaService,
    private readonly limits: Limits,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** The answer is the same whether there is an account or not, unless `revealAccounts` is on. */
  @Post('verification')
  @Operation({
    summary: 'Send a code to an e-mail address or phone number',
    by: 'client or user',
    body: ContactParameters,
    answer: VERIFICATION_STARTED,
    refusals: [404],
  })
  @UseGuards(ParametersGuard, BearerThrottlerGuard)
  async send(@Http() http: HttpExchange): Promise<void> {
    const sent = validated(ContactParameters, http.parameters);
    const { client, bearer } = await this.callers.clientOrUser(http);
    if (bearer) await this.callers.requireAccount(bearer);
    else requireUseForCodes(client);
    await this.captcha.check(http, 'send_code');
    const contact = requireContact(sent);
    const network = networkPaying(http);
    // every code costs somebody money, and with revealAccounts tells whether there is an account
    await this.limits.take('sends', network, this.options.limitSends, 'LIMIT_SENDS');
    await this.limits.take('client-sends', client.id, this.options.limitClientSends, 'LIMIT_SENDS');
    const owner = await this.users.directory().findByContact(contact);
    // an anonymous user is at the door, like somebody who is not signed in
    const sub = bearer?.scope === ANONYMOUS_SCOPE ? undefined : bearer?.sub;
    const known = owner !== undefined;
    const own = known && owner.sub === sub;
    const asked = { ...sent, signedIn: sub !== undefined, known, own };
    const revealed = own || this.options.revealAccounts;
    if (sent.target === 'USER' && !known && revealed) throw new AuthError('user_not_found', { reason: 'USER_UNKNOWN' });
    const verification_id = await this.verifications.start(contact, {
      client,
      purpose: purposeOf(asked),
      by: sub === undefined ? `network ${network}` : `user ${sub}`,
      own,
      sub,
      deliver: isWanted(asked),
      language: languageOf(http),
    });
    http.json(200, { verification_id, expires_in: VERIFICATION_TTL, is_user: revealed && known });
  }

  @Post('verification/verify')
  @Operation({
    summary: 'Exchange a code for a verification token',
    by: 'client',
    body: CodeParameters,
    answer: VERIFIED,
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async verify(@Http() http: HttpExchange): Promise<void> {
    const { client } = await this.callers.party(http);
    const { verification_id, verification_code } = validated(CodeParameters, http.parameters);
    const verification_token = await this.verifications.verify(verification_id, verification_code, client.id);
    http.json(200, { verification_token, expires_in: VERIFICATION_TTL });
  }

  @Post('reset')
  @Operation({
    summary: 'A new password by a verified contact',
    by: 'client',
    body: ContactParameters,
    answer: 'nothing',
    refusals: [404],
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async reset(@Http() http: HttpExchange): Promise<void> {
    const { client } = await this.callers.party(http);
    const sent = validated(ContactParameters, http.parameters);
    const contact = requireContact(sent);
    const password = required('new_password', sent.new_password);
    const token = required('verification_token', sent.verification_token);
    await this.accounts.resetPassword({ contact, token, clientId: client.id }, password, originOf(http));
    http.json(200, {});
  }

  /** An oracle for who has an account, so it is there only with `revealAccounts`. */
  @Get('checkIfUserExist')
  @Operation({
    summary: 'Whether there is such a user, where accounts are revealed',
    by: 'client',
    query: UsernameParameters,
    answer: USER_EXISTS,
    refusals: [404],
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async checkIfUserExist(@Http() http: HttpExchange): Promise<void> {
    if (!this.options.revealAccounts) throw new AuthError('not_found', { reason: 'ROUTE_UNKNOWN' });
    await this.callers.party(http);
    const { username } = validated(UsernameParameters, http.query);
    http.json(200, { exist: (await this.users.directory().knows(username)) !== undefined });
  }
}

/** What a code is good for: signing in or up by it, and a new password. */
const TAKES_CODES = ['password', ...SIGN_UP, ...VERIFICATION];

/** @throws AuthError permission_denied where the client could do nothing with a code */
function requireUseForCodes({ grant_types }: Client): void {
  if (TAKES_CODES.some((grantType) => grant_types.includes(grantType))) return;
  throw new AuthError('permission_denied', { reason: 'GRANT_TYPE_NOT_ALLOWED' });
}
