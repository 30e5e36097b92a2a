import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { readParameters } from '../../base/http/body.js';
import { PresentedTokens, type SentToken, sentToken } from '../../core/sessions/presented-tokens.js';
import { AccessTokenGuard } from '../../protection/access-token.guard.js';
import { accessTokenOf } from '../../protection/guarded-request.js';
import { exchangeOf } from '../../base/http/exchange-of.js';
import { Limits } from '../../core/throttling/limits.js';
import { setPayer } from '../../core/throttling/payer.js';

const FORM = 'application/x-www-form-urlencoded';

/**
 * The access token may also be the form parameter `access_token` of a POST (RFC 6750 §2.2). One that is good counts
 * against its session, anything else against the address.
 */
@Injectable()
export class UserinfoGuard extends AccessTokenGuard {
  constructor(
    tokens: PresentedTokens,
    private readonly limits: Limits,
  ) {
    super(tokens);
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    setPayer(http, 'session');
    await this.limits.settled(http, super.canActivate(context));
    const { sid, jti } = accessTokenOf(context)!;
    await this.limits.spend('session', `access ${sid ?? jti}`);
    return true;
  }

  protected override async presented(http: HttpExchange): Promise<SentToken | undefined> {
    const inHeader = sentToken(http);
    if (http.method !== 'POST' || !http.hasBody || http.mediaType !== FORM) return inHeader;
    const inBody = (await readParameters(http)).get('access_token');
    if (inBody === undefined) return inHeader;
    if (inHeader === undefined) return { scheme: 'Bearer', token: inBody };
    throw new AuthError('invalid_argument', {
      reason: 'PARAMETER_REPEATED', // RFC 6750 §2: one way to send it at a time
      fields: [{ field: 'access_token', description: 'must be sent once, in the header or in the body' }],
      headers: { 'WWW-Authenticate': 'Bearer realm="auth", error="invalid_request"' },
    });
  }
}
