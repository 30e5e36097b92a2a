import { Controller, Delete, Get, Param, Post, Req, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Request, Response } from 'express';
import { BrowserSessionService } from '../oauth/browser/browser-session.service.js';
import { AuthError, badField } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { bearerOf } from '../base/http/bearer.js';
import { Parameters, parametersOf } from '../base/http/parameters.js';
import { sendJson } from '../base/http/send-json.js';
import { validated } from '../base/http/validated.js';
import { IntrospectionService } from '../core/sessions/introspection.service.js';
import { AccessTokenGuard, BearerToken, RequireLiveSession } from '../protection/access-token.guard.js';
import { RevocationService } from '../core/sessions/revocation.service.js';
import { type AccessToken, AccessTokenService } from '../core/sessions/access-token.service.js';
import { SessionService } from '../core/sessions/session.service.js';
import { Token } from '../token/rules.js';
import { BearerThrottlerGuard } from './bearer-throttler.guard.js';
import { OptionalParametersGuard } from '../base/http/parameters.guard.js';
import { Callers } from './callers.js';

class RevokeParameters {
  @Token()
  token?: string;
}

class IntrospectParameters {
  @Token({ required: true })
  token: string;
}

/** Ending sessions, and asking whether one is alive. */
@Controller({ path: 'auth/v1', version: VERSION_NEUTRAL })
@UseFilters(AuthExceptionFilter)
@UseGuards(OptionalParametersGuard, BearerThrottlerGuard)
export class SessionController {
  constructor(
    private readonly callers: Callers,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: SessionService,
    private readonly browsers: BrowserSessionService,
    private readonly revocation: RevocationService,
    private readonly introspection: IntrospectionService,
  ) {}

  /** RFC 7009, for a token in the body or the caller's own: the whole session ends, and an unknown token is no error. */
  @Post('revoke')
  async revoke(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { token } = validated(RevokeParameters, parametersOf(request));
    if (token !== undefined) {
      await this.revocation.revoke(token, await this.callers.party(request));
      return sendJson(request, response, 200, {});
    }
    if (bearerOf(request) === undefined) throw badField('token', 'PARAMETER_MISSING', 'is required');
    return this.signOut(request, response);
  }

  /** Signs out, even with a token that has expired or whose session has ended already. */
  @Post('user/signout')
  async signOut(@Req() request: Request, @Res() response: Response): Promise<void> {
    const bearer = await this.accessTokens.verify(bearerOf(request) ?? '', { expired: true });
    if (!bearer) throw new AuthError('unauthenticated', { reason: 'ACCESS_TOKEN_INVALID' });
    if (bearer.sid !== undefined) await this.sessions.revoke(bearer.sid, bearer.client_id);
    sendJson(request, response, 200, {});
  }

  /** The caller's own token, or any token for a confidential client (RFC 7662 §2.1). */
  @Get('token/introspect')
  async introspect(@Req() request: Request, @Res() response: Response): Promise<void> {
    const own = bearerOf(request);
    if (own !== undefined) return sendJson(request, response, 200, await this.introspection.accessToken(own));
    const { client } = await this.callers.party(request);
    if (client.public) throw new AuthError('permission_denied', { reason: 'CLIENT_PUBLIC' });
    const { token } = validated(IntrospectParameters, new Parameters(request.query));
    return sendJson(request, response, 200, await this.introspection.accessToken(token));
  }

  @Delete('user/revoke/all')
  @UseGuards(AccessTokenGuard)
  @RequireLiveSession()
  async revokeAll(@BearerToken() bearer: AccessToken, @Req() request: Request, @Res() response: Response) {
    await this.callers.requireFirstParty(bearer);
    await this.browsers.endAll(bearer.sub);
    await this.sessions.revokeAll({ sub: bearer.sub });
    sendJson(request, response, 200, {});
  }

  @Delete('user/authorized/devices/:device_id')
  @UseGuards(AccessTokenGuard)
  @RequireLiveSession()
  async revokeDevice(
    @BearerToken() bearer: AccessToken,
    @Param('device_id') deviceId: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.callers.requireFirstParty(bearer);
    await this.sessions.revokeDevice(bearer.sub, deviceId);
    sendJson(request, response, 200, {});
  }
}
