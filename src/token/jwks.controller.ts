import { Get, Inject, UseFilters } from '@nestjs/common';
import { AuthController } from '../base/http/auth-controller.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../base/metadata/server-metadata.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { ROUTE_PREFIX } from '../base/http/route-prefix.js';
import { JWKS_MAX_AGE, KeyService } from '../core/keys/key.service.js';
import { Operation } from '../base/openapi/operation.js';
import { JWKS } from './token.models.js';

const CACHED = { 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}` };

/** `GET /auth/v1/certs`: the keys that our tokens verify with (RFC 7517). */
@AuthController('')
@UseFilters(AuthExceptionFilter)
@PublishesMetadata()
export class JwksController implements MetadataPublisher {
  constructor(
    private readonly keys: KeyService,
    @Inject(ROUTE_PREFIX) private readonly prefix: string,
  ) {}

  @Get('certs')
  @Operation({ summary: 'The keys that our tokens verify with', by: 'anybody', answer: JWKS })
  async certs(@Http() http: HttpExchange): Promise<void> {
    http.jsonText(200, await this.keys.jwksText(), CACHED);
  }

  async metadata(url: (path: string) => string): Promise<ServerMetadata> {
    const { keys } = await this.keys.jwks();
    return {
      jwks_uri: url(`${this.prefix}/certs`),
      // more than one while a new key of another algorithm waits for its turn
      id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg as string))],
    };
  }
}
