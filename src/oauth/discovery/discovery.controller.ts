import { Get, Inject, UseFilters } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { localPath } from '../../base/http/local-path.js';
import { JWKS_MAX_AGE } from '../../core/keys/key.service.js';
import { ServerMetadataService } from './server-metadata.service.js';
import { Operation } from '../../base/openapi/operation.js';
import { SERVER_METADATA } from '../oauth.models.js';

/** What a client needs to know of this server: RFC 8414 §3, and OpenID Connect Discovery §4, which is the same document. */
@AuthController('.well-known')
@UseFilters(OAuthExceptionFilter)
export class DiscoveryController {
  constructor(
    private readonly serverMetadata: ServerMetadataService,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  @Get(['openid-configuration', 'oauth-authorization-server'])
  @Operation({ summary: 'What a client needs to know of this server', by: 'anybody', answer: SERVER_METADATA })
  async document(@Http() http: HttpExchange): Promise<void> {
    const headers = { 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}` };
    http.json(200, await this.serverMetadata.document(), headers);
  }

  /** RFC 8414 §3.1: of an issuer with a path that path comes last; OpenID Connect Discovery §4 puts it first. */
  @Get(['openid-configuration/*path', 'oauth-authorization-server/*path'])
  documentOf(@Http() http: HttpExchange): Promise<void> {
    const path = http.path.replace(/^.*?\/\.well-known\/[^/]*/, '').replace(/\/$/, '');
    if (path !== localPath(this.options, '')) throw new AuthError('not_found', { reason: 'ROUTE_UNKNOWN' });
    return this.document(http);
  }
}
