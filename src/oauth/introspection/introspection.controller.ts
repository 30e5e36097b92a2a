import { All, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { CLIENT_ASSERTION_ALGS } from '../../core/clients/client-assertion.service.js';
import { CLIENT_AUTH_METHODS, ClientAuthenticator } from '../../core/clients/client-authenticator.js';
import { clientCredentialsOf } from '../../core/clients/client-credentials.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { AuthError, methodNotAllowed } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { validated } from '../../base/http/validated.js';
import { AuthThrottlerGuard, Presents } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { Token } from '../../token/rules.js';
import { livingTokenOf } from '../../core/sessions/living-token.js';
import { IntrospectionService } from '../../core/sessions/introspection.service.js';
import { Operation } from '../../base/openapi/operation.js';
import { INTROSPECTION } from '../oauth.models.js';

/** token_type_hint is not among them: which kind a token is, it says itself (RFC 7662 §2.1). */
export class IntrospectionParameters {
  @Token({ required: true })
  token: string;
}

/** `POST /oauth2/introspect`: a resource server asks whether a token is any good (RFC 7662 §2). */
@AuthController('oauth2/introspect')
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class IntrospectionController implements MetadataPublisher {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly introspection: IntrospectionService,
  ) {}

  @Post()
  @Operation({
    summary: 'What a token is good for at this moment',
    by: 'confidential client',
    body: IntrospectionParameters,
    answer: INTROSPECTION,
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  @Presents((parameters) => ({ token: parameters.peek('token') }))
  async introspect(@Http() http: HttpExchange): Promise<void> {
    const client = await this.authenticator.authenticate(clientCredentialsOf(http), http.requestId);
    // RFC 7662 §2.1: the caller must be authorized, and anybody can be a public client
    if (client.public) throw new AuthError('permission_denied', { reason: 'CLIENT_PUBLIC' });
    const { token } = validated(IntrospectionParameters, http.parameters);
    http.json(200, await this.introspection.introspect(token, client, livingTokenOf(http, token)));
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('POST');
  }

  metadata(url: (path: string) => string): ServerMetadata {
    return {
      introspection_endpoint: url('/oauth2/introspect'),
      introspection_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS.filter((method) => method !== 'none'),
      introspection_endpoint_auth_signing_alg_values_supported: CLIENT_ASSERTION_ALGS,
    };
  }
}
