import { Get, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../base/http/auth-controller.js';
import { AuthorizationCodeService } from '../core/codes/authorization-code.service.js';
import { ClientService } from '../core/clients/client.service.js';
import { grantScope, Scope } from '../core/clients/scope.js';
import { DeviceAuthorizationService } from '../core/devices/device-authorization.service.js';
import { accessTokenInvalid, AuthError, badField } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { Text } from '../base/http/rules.js';
import { validated } from '../base/http/validated.js';
import { AccessTokenGuard } from '../protection/access-token.guard.js';
import { BearerToken } from '../protection/guarded-request.js';
import { RequireLiveSession } from '../protection/rules.js';
import type { AccessToken } from '../core/sessions/access-token.js';
import { sentToken } from '../core/sessions/presented-tokens.js';
import { SessionService } from '../core/sessions/session.service.js';
import { Attempts } from '../core/throttling/attempts.js';
import { Nonce, RedirectUri } from '../token/rules.js';
import { BearerThrottlerGuard } from './bearer-throttler.guard.js';
import { ParametersGuard } from '../base/http/parameters.guard.js';
import { Callers } from './callers.js';
import { Operation } from '../base/openapi/operation.js';
import { AUTHORIZATION_INFO, CODE } from './cloudbase.models.js';
import { DEVICE_AUTHORIZATION } from '../core/devices/device.models.js';

class ScopeParameters {
  @Scope()
  scope?: string;
}

class InfoParameters extends ScopeParameters {
  @Text({ max: 128, required: true })
  client_id: string;
}

class AuthorizeParameters extends InfoParameters {
  @Text({ format: { pattern: /^code$/, description: 'must be code' } })
  response_type?: string;

  @RedirectUri({ required: true })
  redirect_uri: string;

  @Text({ max: 1024 })
  state?: string;

  @Text({ max: 128 })
  code_challenge?: string;

  @Text({ max: 16 })
  code_challenge_method?: string;

  @Nonce()
  nonce?: string;
}

class UserCodeParameters {
  @Text({ max: 32, required: true })
  user_code: string;
}

/** A signed-in user lets another client or device in, from a page of the application's own. */
@AuthController('')
@UseFilters(AuthExceptionFilter)
@UseGuards(ParametersGuard, BearerThrottlerGuard)
export class AuthorizeController {
  constructor(
    private readonly callers: Callers,
    private readonly clients: ClientService,
    private readonly codes: AuthorizationCodeService,
    private readonly devices: DeviceAuthorizationService,
    private readonly sessions: SessionService,
    private readonly attempts: Attempts,
  ) {}

  /** RFC 8628 §3.1. */
  @Post('device/code')
  @Operation({
    summary: 'Codes for a device to sign in by',
    by: 'client or user',
    body: ScopeParameters,
    answer: DEVICE_AUTHORIZATION,
  })
  async deviceCode(@Http() http: HttpExchange): Promise<void> {
    const { scope } = validated(ScopeParameters, http.parameters);
    const named = http.parameters.get('client_id');
    const { client } = named === undefined ? await this.callers.clientOrUser(http) : await this.callers.party(http);
    http.json(200, await this.devices.start(client, scope));
  }

  @Post('user/device/authorize')
  @Operation({ summary: 'Let a device in', by: 'user', body: UserCodeParameters, answer: 'nothing' })
  @UseGuards(AccessTokenGuard)
  @RequireLiveSession()
  async authorizeDevice(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange) {
    await this.callers.requireNamedUser(bearer);
    const { user_code } = validated(UserCodeParameters, http.parameters);
    const { sub, sid } = bearer;
    const { authenticatedAt, version } = await this.signInOf(bearer);
    const isDone = await this.attempts.userCode(
      http,
      async () =>
        (await this.devices.approve(user_code, sub, authenticatedAt, version, sid)) ||
        (await this.devices.answeredBy(user_code, sub, sid!)) === 'approved' ||
        undefined,
    );
    if (!isDone) {
      throw badField('user_code', 'PARAMETER_INVALID', 'is wrong, answered or expired');
    }
    // a sign-out that was answered since then did not see this approval
    if (!(await this.sessions.isAlive(bearer.sid!))) await this.devices.withdraw({ sub: bearer.sub });
    http.json(200, {});
  }

  /** RFC 6749 §4.1.1, without a redirect: the page that asks is the application's own. */
  @Post('user/authorize')
  @Operation({ summary: 'A code for another client', by: 'user', body: AuthorizeParameters, answer: CODE })
  @UseGuards(AccessTokenGuard)
  @RequireLiveSession()
  async authorize(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange) {
    await this.callers.requireNamedUser(bearer);
    const parameters = validated(AuthorizeParameters, http.parameters);
    const code = await this.codes.issue({
      clientId: parameters.client_id,
      sub: bearer.sub,
      redirectUri: parameters.redirect_uri,
      scope: parameters.scope,
      codeChallenge: parameters.code_challenge,
      codeChallengeMethod: parameters.code_challenge_method,
      nonce: parameters.nonce,
      ...(await this.signInOf(bearer)),
    });
    // a sign-out that was answered since then did not see this code
    if (!(await this.sessions.isAlive(bearer.sid!))) await this.codes.expireIssued({ sub: bearer.sub });
    http.json(200, { code, state: parameters.state });
  }

  /** What a page says before it calls authorize: who asks, and for what. Nobody need be signed in yet. */
  @Get('user/authorize/info')
  @Operation({
    summary: 'Which client asks for what',
    by: 'anybody',
    query: InfoParameters,
    answer: AUTHORIZATION_INFO,
    refusals: [401, 403],
  })
  async authorizeInfo(@Http() http: HttpExchange): Promise<void> {
    const { client_id, scope } = validated(InfoParameters, http.query);
    if (sentToken(http)) await this.callers.clientOrUser(http);
    const client = (await this.clients.find(client_id))?.client;
    if (!client || client.disabled) throw new AuthError('invalid_client', { reason: 'CLIENT_UNKNOWN' });
    const scopes = grantScope(client, scope).map((word) => ({ id: word, name: word }));
    http.json(200, { client: { id: client.id, name: client.name }, scopes });
  }

  /** What the bearer's session stands on, and so does what it lets in. */
  private async signInOf({ sid }: AccessToken): Promise<{ authenticatedAt: number; version: number }> {
    const session = await this.sessions.findAlive(sid!);
    if (!session) throw accessTokenInvalid();
    return { authenticatedAt: session.authenticated_at, version: session.credentials_version };
  }
}
