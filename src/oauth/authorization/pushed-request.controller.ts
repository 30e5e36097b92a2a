import { All, Controller, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { ClientAuthenticator } from '../../core/clients/client-authenticator.js';
import { clientCredentialsOf } from '../../core/clients/client-credentials.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { AuthorizationRequestService } from './authorization-request.service.js';
import { PushedRequestService } from './pushed-request.service.js';

/** `POST /oauth2/par`: takes an authorization request from the client itself (RFC 9126 §2). */
@Controller({ path: 'oauth2/par', version: VERSION_NEUTRAL })
@UseFilters(OAuthExceptionFilter)
export class PushedRequestController {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly requests: AuthorizationRequestService,
    private readonly pushed: PushedRequestService,
  ) {}

  @Post()
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async push(@Http() http: HttpExchange): Promise<void> {
    const client = await this.authenticator.authenticate(clientCredentialsOf(http), http.requestId);
    const pending = this.requests.check(client, http.parameters);
    http.json(201, await this.pushed.push(pending));
  }

  @All()
  methodNotAllowed(): never {
    throw new AuthError('method_not_allowed', { reason: 'METHOD_NOT_ALLOWED', headers: { Allow: 'POST' } });
  }
}
