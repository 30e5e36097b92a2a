import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { readParameters } from '../../base/http/body.js';
import type { SentToken } from '../../core/sessions/presented-tokens.js';
import { AccessTokenGuard } from '../../protection/access-token.guard.js';

/** The access token may also be the form parameter `access_token` of a POST (RFC 6750 §2.2). */
@Injectable()
export class UserinfoGuard extends AccessTokenGuard {
  protected override async presented(http: HttpExchange): Promise<SentToken | undefined> {
    const inHeader = await super.presented(http);
    if (http.method !== 'POST' || !http.hasBodyOf('application/x-www-form-urlencoded')) return inHeader;
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
