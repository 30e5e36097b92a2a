import { Controller, Get, UseFilters, VERSION_NEUTRAL } from '@nestjs/common';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../base/metadata/server-metadata.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import { Http } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { Public } from '../base/http/public.js';
import { JWKS_MAX_AGE, KeyService } from '../core/keys/key.service.js';

const CACHED = { 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}` };

/** `GET /auth/v1/certs`: the keys that our tokens verify with (RFC 7517). */
@Controller({ path: 'auth/v1', version: VERSION_NEUTRAL })
@Public()
@UseFilters(AuthExceptionFilter)
@PublishesMetadata()
export class JwksController implements MetadataPublisher {
  constructor(private readonly keys: KeyService) {}

  @Get('certs')
  async certs(@Http() http: HttpExchange): Promise<void> {
    http.jsonText(200, await this.keys.jwksText(), CACHED);
  }

  async metadata(url: (path: string) => string): Promise<ServerMetadata> {
    const { keys } = await this.keys.jwks();
    return {
      jwks_uri: url('/auth/v1/certs'),
      // more than one while a new key of another algorithm waits for its turn
      id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg as string))],
    };
  }
}
