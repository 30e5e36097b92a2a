import { Delete, Get, Param, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../base/http/auth-controller.js';
import { accessTokenInvalid, AuthError } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { validated } from '../base/http/validated.js';
import { IntrospectionService } from '../core/sessions/introspection.service.js';
import { AccessTokenGuard } from '../protection/access-token.guard.js';
import { BearerToken } from '../protection/guarded-request.js';
import { RequireLiveSession } from '../protection/rules.js';
import { RevocationService } from '../core/sessions/revocation.service.js';
import type { AccessToken } from '../core/sessions/access-token.js';
import { livingTokenOf } from '../core/sessions/living-token.js';
import { PresentedTokens, sentToken } from '../core/sessions/presented-tokens.js';
import { endedBy, type Ending, type EndReason } from '../core/sessions/ending.js';
import { originOf } from '../base/http/origin.js';
import { SessionService } from '../core/sessions/session.service.js';
import { SignOutService } from '../core/sessions/sign-out.service.js';
import { missing } from '../base/http/rules.js';
import { Token } from '../token/rules.js';
import { BearerThrottlerGuard } from './bearer-throttler.guard.js';
import { OptionalParametersGuard } from '../base/http/parameters.guard.js';
import { Callers } from './callers.js';
import { Operation } from '../base/openapi/operation.js';
import { ACCESS_TOKEN_INTROSPECTION } from './cloudbase.models.js';

class RevokeParameters {
  @Token()
  token?: string;
}

class IntrospectParameters {
  @Token({ required: true })
  token: string;
}

/** Ending sessions, and asking whether one is alive. */
@AuthController('')
@UseFilters(AuthExceptionFilter)
@UseGuards(OptionalParametersGuard, BearerThrottlerGuard)
export class SessionController {
  constructor(
    private readonly callers: Callers,
    private readonly tokens: PresentedTokens,
    private readonly sessions: SessionService,
    private readonly signOuts: SignOutService,
    private readonly revocation: RevocationService,
    private readonly introspection: IntrospectionService,
  ) {}

  /** RFC 7009, for a token in the body or the caller's own: the whole session ends, and an unknown token is no error. */
  @Post('revoke')
  @Operation({ summary: "End a token's session", by: 'client or user', body: RevokeParameters, answer: 'nothing' })
  async revoke(@Http() http: HttpExchange): Promise<void> {
    const { token } = validated(RevokeParameters, http.parameters);
    if (token !== undefined) {
      await this.revocation.revoke(token, await this.callers.party(http));
      return http.json(200, {});
    }
    if (!sentToken(http)) throw missing('token');
    return this.signOut(http);
  }

  /** Signs out, even with a token that has expired or whose session has ended already. */
  @Post('user/signout')
  @Operation({ summary: 'Sign out', by: 'user', answer: 'nothing' })
  async signOut(@Http() http: HttpExchange): Promise<void> {
    const bearer = await this.tokens.read(http, { expired: true });
    if (!bearer) throw accessTokenInvalid();
    if (bearer.sid !== undefined)
      await this.sessions.revoke(bearer.sid, endedByUser('SIGNED_OUT', http), bearer.client_id);
    http.json(200, {});
  }

  /** The caller's own token, or any token for a confidential client (RFC 7662 §2.1). */
  @Get('token/introspect')
  @Operation({
    summary: 'What an access token is good for',
    by: 'client or user',
    query: RevokeParameters,
    answer: ACCESS_TOKEN_INTROSPECTION,
  })
  async introspect(@Http() http: HttpExchange): Promise<void> {
    const own = sentToken(http);
    if (own) {
      const said = await this.introspection.accessToken(own.token, livingTokenOf(http, own.token));
      if (said.active) await this.tokens.read(http); // a dead one is worth as little with a proof as without
      return http.json(200, said);
    }
    const { client } = await this.callers.party(http);
    if (client.public) throw new AuthError('permission_denied', { reason: 'CLIENT_PUBLIC' });
    const { token } = validated(IntrospectParameters, http.query);
    return http.json(200, await this.introspection.accessToken(token));
  }

  @Delete('user/revoke/all')
  @Operation({ summary: 'End every session of the user', by: 'user', answer: 'nothing' })
  @UseGuards(AccessTokenGuard)
  @RequireLiveSession()
  async revokeAll(@BearerToken() bearer: AccessToken, @Http() http: HttpExchange) {
    await this.callers.requireAccount(bearer);
    await this.signOuts.everywhere(bearer.sub, endedByUser('SIGNED_OUT', http));
    http.json(200, {});
  }

  @Delete('user/authorized/devices/:device_id')
  @Operation({ summary: "End the user's sessions on a device", by: 'user', answer: 'nothing' })
  @UseGuards(AccessTokenGuard)
  @RequireLiveSession()
  async revokeDevice(
    @BearerToken() bearer: AccessToken,
    @Param('device_id') deviceId: string,
    @Http() http: HttpExchange,
  ): Promise<void> {
    await this.callers.requireAccount(bearer);
    await this.sessions.revokeDevice(bearer.sub, deviceId, endedByUser('DEVICE_SIGNED_OUT', http));
    http.json(200, {});
  }
}

function endedByUser(reason: EndReason, http: HttpExchange): Ending {
  return endedBy('user', reason, originOf(http));
}
