import { type ExecutionContext, Injectable } from '@nestjs/common';
import { readParameters, readQuery } from '../../base/http/body.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { exchangeOf } from '../../base/http/exchange-of.js';

/** Reads what a page was asked for, from the query or from the form, and takes it out of its address's budget. */
@Injectable()
export class PageGuard extends AuthThrottlerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    http.parameters = http.method === 'POST' ? await readParameters(http) : readQuery(http);
    return super.canActivate(context);
  }
}
