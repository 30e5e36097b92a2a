import { Controller, UseFilters } from '@nestjs/common';
import { CLIENT_AUTH_METHODS } from '../clients/client-authenticator.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../discovery/server-metadata.js';
import { OAuthExceptionFilter } from '../errors/auth-exception.filter.js';
import { TokenController } from './token.controller.js';

/** `POST /oauth2/token`: the same endpoint, its errors in the words of the standards. */
@Controller('oauth2/token')
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class OAuthTokenController extends TokenController implements MetadataPublisher {
  metadata(url: (path: string) => string): ServerMetadata {
    return {
      token_endpoint: url('/oauth2/token'),
      token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
      grant_types_supported: this.grants.grantTypes,
      subject_types_supported: ['public'],
      scopes_supported: ['openid'],
      claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'at_hash', 'sid'],
    };
  }
}
