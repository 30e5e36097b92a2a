import { All, Controller, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { CLIENT_ASSERTION_ALGS } from '../../core/clients/client-assertion.service.js';
import { CLIENT_AUTH_METHODS, ClientAuthenticator } from '../../core/clients/client-authenticator.js';
import { clientCredentialsOf } from '../../core/clients/client-credentials.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { AuthError, methodNotAllowed } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { Text } from '../../base/http/rules.js';
import { validated } from '../../base/http/validated.js';
import { AuthThrottlerGuard, Presents } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { Token } from '../../token/rules.js';
import { RevocationService } from '../../core/sessions/revocation.service.js';

export class RevocationParameters {
  @Token({ required: true })
  token: string;

  @Text({ max: 128 })
  token_type_hint?: string;
}

/** Which kind a token is, it says itself; a hint only tells whether the client means one that we could take back. */
const KINDS = [undefined, 'access_token', 'refresh_token'];

/** `POST /oauth2/revoke`: a client is done with a token (RFC 7009 §2). */
@Controller({ path: 'oauth2/revoke', version: VERSION_NEUTRAL })
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class RevocationController implements MetadataPublisher {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly revocation: RevocationService,
  ) {}

  @Post()
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  @Presents((parameters) => ({ token: parameters.peek('token') }))
  async revoke(@Http() http: HttpExchange): Promise<void> {
    const { requestId } = http;
    const client = await this.authenticator.authenticate(clientCredentialsOf(http), requestId);
    const { token, token_type_hint } = validated(RevocationParameters, http.parameters);
    if (!KINDS.includes(token_type_hint)) {
      throw new AuthError('unsupported_token_type', { reason: 'TOKEN_TYPE_UNKNOWN' });
    }
    await this.revocation.revoke(token, { client, requestId });
    http.json(200, {});
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('POST');
  }

  metadata(url: (path: string) => string): ServerMetadata {
    return {
      revocation_endpoint: url('/oauth2/revoke'),
      revocation_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ASSERTION_ALGS,
    };
  }
}
