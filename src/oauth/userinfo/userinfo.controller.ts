import { All, Get, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { accessTokenInvalid, methodNotAllowed } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { BearerToken } from '../../protection/guarded-request.js';
import { RequireLiveSession, RequireScopes } from '../../protection/rules.js';
import type { AccessToken } from '../../core/sessions/access-token.js';
import { CLAIMS_OF_SCOPE, claimsFor } from '../../core/users/claims.js';
import { Users } from '../../core/users/users.js';
import { UserinfoGuard } from './userinfo.guard.js';

/** `GET` and `POST /oauth2/userinfo`: who the user of an access token is (OpenID Connect Core §5.3). */
@AuthController('oauth2/userinfo')
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class UserinfoController implements MetadataPublisher {
  constructor(private readonly users: Users) {}

  @Get()
  @UseGuards(UserinfoGuard)
  @RequireScopes('openid')
  @RequireLiveSession()
  async get(@BearerToken() token: AccessToken, @Http() http: HttpExchange): Promise<void> {
    const user = await this.users.find(token.sub, { fresh: false });
    if (!user) throw accessTokenInvalid();
    http.json(200, { sub: user.sub, ...claimsFor(token.scope.split(' '), user.claims) });
  }

  @Post()
  @UseGuards(UserinfoGuard)
  @RequireScopes('openid')
  @RequireLiveSession()
  post(@BearerToken() token: AccessToken, @Http() http: HttpExchange): Promise<void> {
    return this.get(token, http);
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('GET, POST');
  }

  metadata(url: (path: string) => string): ServerMetadata {
    return {
      userinfo_endpoint: url('/oauth2/userinfo'),
      scopes_supported: Object.keys(CLAIMS_OF_SCOPE),
      claims_supported: Object.values(CLAIMS_OF_SCOPE).flat(),
    };
  }
}
