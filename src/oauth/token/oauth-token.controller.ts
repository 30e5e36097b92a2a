import { Controller, UseFilters, VERSION_NEUTRAL } from '@nestjs/common';
import { CLIENT_ASSERTION_ALGS } from '../../core/clients/client-assertion.service.js';
import { CLIENT_AUTH_METHODS } from '../../core/clients/client-authenticator.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { Parameters } from '../../base/http/parameters.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { Public } from '../../base/http/public.js';
import { DPOP_ALGS } from '../../core/dpop/dpop-proof.service.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { TokenController } from '../../token/token.controller.js';

/**
 * Grants that redeem what the user answered to an earlier request: a nonce is that request's or none's (OpenID Connect
 * Core §2, §12.2). CloudBase's dialect takes one here all the same.
 */
const REDEEMING = new Set([
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'device_code',
]);

/** `POST /oauth2/token`: the same endpoint, its errors in the words of the standards. */
@Controller({ path: 'oauth2/token', version: VERSION_NEUTRAL })
@Public()
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class OAuthTokenController extends TokenController implements MetadataPublisher {
  protected override parametersOf({ parameters }: HttpExchange): Parameters {
    return REDEEMING.has(parameters.peek('grant_type') ?? '') ? parameters.without('nonce') : parameters;
  }

  metadata(url: (path: string) => string): ServerMetadata {
    return {
      token_endpoint: url('/oauth2/token'),
      token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
      token_endpoint_auth_signing_alg_values_supported: CLIENT_ASSERTION_ALGS,
      dpop_signing_alg_values_supported: DPOP_ALGS,
      grant_types_supported: this.grants.grantTypes,
      subject_types_supported: ['public'],
      scopes_supported: ['openid'],
      claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'at_hash', 'sid'],
    };
  }
}
