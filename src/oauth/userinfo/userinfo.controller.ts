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
import { ClientService } from '../../core/clients/client.service.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { type User, Users } from '../../core/users/users.js';
import { type ClaimsOf, OwnClaimsService } from '../../token/claims/own-claims.service.js';
import { UserinfoGuard } from './userinfo.guard.js';
import { Operation } from '../../base/openapi/operation.js';
import { USERINFO } from '../oauth.models.js';

/** `GET` and `POST /oauth2/userinfo`: who the user of an access token is (OpenID Connect Core §5.3). */
@AuthController('oauth2/userinfo')
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class UserinfoController implements MetadataPublisher {
  constructor(
    private readonly users: Users,
    private readonly ownClaims: OwnClaimsService,
    private readonly clients: ClientService,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  @Operation({ summary: 'Who the user of an access token is', by: 'user', answer: USERINFO })
  @UseGuards(UserinfoGuard)
  @RequireScopes('openid')
  @RequireLiveSession()
  async get(@BearerToken() token: AccessToken, @Http() http: HttpExchange): Promise<void> {
    const user = await this.users.find(token.sub, { fresh: false });
    if (!user) throw accessTokenInvalid();
    const scope = token.scope.split(' ');
    const own = this.ownClaims.isThere ? await this.ownOf(user, token, scope) : undefined;
    http.json(200, { sub: user.sub, ...claimsFor(scope, user.claims), ...own?.userinfo });
  }

  @Post()
  @Operation({ summary: 'The same, by POST', by: 'user', answer: USERINFO })
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

  private async ownOf(user: User, { sid, client_id }: AccessToken, scope: string[]): Promise<ClaimsOf | undefined> {
    const client = (await this.clients.find(client_id))?.client;
    const session = sid === undefined ? undefined : await this.sessions.findOpen(sid);
    if (!client || !session) throw accessTokenInvalid(); // it has ended just now
    const { id, authenticated_at: authenticatedAt } = session;
    return this.ownClaims.of(['userinfo'], { user, client, scope, session: { id, authenticatedAt } });
  }

  metadata(url: (path: string) => string): ServerMetadata {
    const own = this.ownClaims.supported;
    return {
      userinfo_endpoint: url('/oauth2/userinfo'),
      scopes_supported: [...Object.keys(CLAIMS_OF_SCOPE), ...own.scopes],
      claims_supported: [...Object.values(CLAIMS_OF_SCOPE).flat(), ...own.claims],
    };
  }
}
