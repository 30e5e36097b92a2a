import { Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../base/http/auth-controller.js';
import { CaptchaService } from '../core/captcha/captcha.service.js';
import { ANONYMOUS, SIGN_UP, VERIFICATION } from './grant-types.js';
import { AuthError } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { AuthThrottlerGuard } from '../core/throttling/auth-throttler.guard.js';
import { GrantService } from '../token/grant.service.js';
import { OptionalParametersGuard, ParametersGuard } from '../base/http/parameters.guard.js';
import { Callers } from './callers.js';
import { PasswordRefusals } from './password-refusals.js';
import { Operation } from '../base/openapi/operation.js';
import { TOKEN_RESPONSE, grantRequest } from '../token/token.models.js';

/** CloudBase's own ways to a token set: each is a grant of the token endpoint under another name. */
@AuthController('')
@UseFilters(AuthExceptionFilter)
export class SignInController {
  constructor(
    private readonly callers: Callers,
    private readonly captcha: CaptchaService,
    private readonly grants: GrantService,
    private readonly refusals: PasswordRefusals,
  ) {}

  /** By a password, or by the proof of an e-mail address or phone number. */
  @Post('signin')
  @Operation({
    summary: 'Sign in by a password or a verified contact',
    by: 'client',
    bodyOf: grantRequest('password'),
    answer: TOKEN_RESPONSE,
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async signIn(@Http() http: HttpExchange): Promise<void> {
    const proven = http.parameters.peek('verification_token') !== undefined;
    await this.exchange(proven ? VERIFICATION[0]! : 'password', http);
  }

  @Post('signin/anonymously')
  @Operation({
    summary: 'Sign a new anonymous user in',
    by: 'client',
    bodyOf: grantRequest('anonymous'),
    answer: TOKEN_RESPONSE,
  })
  @UseGuards(OptionalParametersGuard, AuthThrottlerGuard)
  async signInAnonymously(@Http() http: HttpExchange): Promise<void> {
    await this.exchange(ANONYMOUS[0]!, http);
  }

  @Post('signup')
  @Operation({
    summary: 'Make an account for a verified contact',
    by: 'client',
    bodyOf: grantRequest('sign_up'),
    answer: TOKEN_RESPONSE,
    refusals: [404, 409],
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async signUp(@Http() http: HttpExchange): Promise<void> {
    await this.exchange(SIGN_UP[0]!, http);
  }

  /** The token endpoint for one grant. */
  @Post('token/clientCredential')
  @Operation({
    summary: 'A token for the client itself',
    by: 'client',
    bodyOf: grantRequest('client_credentials'),
    answer: TOKEN_RESPONSE,
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async clientCredential(@Http() http: HttpExchange): Promise<void> {
    const grantType = http.parameters.get('grant_type') ?? 'client_credentials';
    if (grantType !== 'client_credentials') {
      throw new AuthError('unsupported_grant_type', { reason: 'GRANT_TYPE_UNSUPPORTED' });
    }
    await this.exchange(grantType, http);
  }

  private async exchange(grantType: string, http: HttpExchange): Promise<void> {
    const party = await this.callers.party(http);
    await this.captcha.check(http, this.grants.captchaFor(grantType));
    const { parameters } = http;
    const answer = await this.grants
      .exchange(party, parameters, grantType)
      .catch((error: unknown) => this.refusals.rethrow(error, parameters));
    http.json(200, answer);
  }
}
