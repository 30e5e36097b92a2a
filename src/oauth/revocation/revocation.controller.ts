import { All, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { CLIENT_ASSERTION_ALGS } from '../../core/clients/client-assertion.service.js';
import { CLIENT_AUTH_METHODS } from '../../core/clients/client-authenticator.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { methodNotAllowed } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { validated } from '../../base/http/validated.js';
import { AuthThrottlerGuard, Presents } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { Token } from '../../token/rules.js';
import { Parties } from '../../core/sessions/parties.js';
import { RevocationService } from '../../core/sessions/revocation.service.js';
import { Operation } from '../../base/openapi/operation.js';

/** token_type_hint is not among them: which kind a token is, it says itself, and a hint may be ignored (RFC 7009 §2.1). */
export class RevocationParameters {
  @Token({ required: true })
  token: string;
}

/** `POST /oauth2/revoke`: a client is done with a token (RFC 7009 §2). */
@AuthController('oauth2/revoke')
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class RevocationController implements MetadataPublisher {
  constructor(
    private readonly parties: Parties,
    private readonly revocation: RevocationService,
  ) {}

  @Post()
  @Operation({ summary: 'End the session of a token', by: 'client', body: RevocationParameters, answer: 'nothing' })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  @Presents((parameters) => ({ token: parameters.peek('token') }))
  async revoke(@Http() http: HttpExchange): Promise<void> {
    const party = await this.parties.of(http);
    const { token } = validated(RevocationParameters, http.parameters);
    await this.revocation.revoke(token, party);
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
