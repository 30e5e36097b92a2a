import { All, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { badField, methodNotAllowed } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { Parties } from '../../core/sessions/parties.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { AuthorizationRequestService } from './authorization-request.service.js';
import type { PendingAuthorization } from './pending-authorization.js';
import { PushedRequestService } from './pushed-request.service.js';
import { Operation } from '../../base/openapi/operation.js';
import { AUTHORIZATION_REQUEST, PUSHED_REQUEST } from '../oauth.models.js';

/** `POST /oauth2/par`: takes an authorization request from the client itself (RFC 9126 §2). */
@AuthController('oauth2/par')
@UseFilters(OAuthExceptionFilter)
export class PushedRequestController {
  constructor(
    private readonly parties: Parties,
    private readonly requests: AuthorizationRequestService,
    private readonly pushed: PushedRequestService,
  ) {}

  @Post()
  @Operation({
    summary: 'Push an authorization request',
    by: 'client',
    body: AUTHORIZATION_REQUEST,
    answer: PUSHED_REQUEST,
    status: 201,
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async push(@Http() http: HttpExchange): Promise<void> {
    const party = await this.parties.of(http);
    const pending = boundTo(party.dpopJkt, this.requests.check(party.client, http.parameters));
    await party.useProof?.();
    http.json(201, await this.pushed.push(pending));
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('POST');
  }
}

/** RFC 9449 §10.1: a proof that comes with the request says the same as dpop_jkt, and must not say otherwise. */
function boundTo(jkt: string | undefined, pending: PendingAuthorization): PendingAuthorization {
  if (jkt === undefined) return pending;
  if (pending.dpop_jkt === undefined || pending.dpop_jkt === jkt) return { ...pending, dpop_jkt: jkt };
  throw badField('dpop_jkt', 'PARAMETER_INVALID', 'must be of the key that the DPoP proof is made with');
}
