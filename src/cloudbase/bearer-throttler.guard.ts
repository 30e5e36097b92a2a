import { Injectable } from '@nestjs/common';
import { bearerOf } from '../base/http/bearer.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { AuthThrottlerGuard, type Presented } from '../core/throttling/auth-throttler.guard.js';

/** Routes of a signed-in user: what they present is their access token. Anything else counts against the address. */
@Injectable()
export class BearerThrottlerGuard extends AuthThrottlerGuard {
  protected override presented(http: HttpExchange): Presented {
    return { token: bearerOf(http) };
  }
}
