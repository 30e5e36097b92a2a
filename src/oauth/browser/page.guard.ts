import { type ExecutionContext, Injectable } from '@nestjs/common';
import { readParameters, readQuery } from '../../base/http/body.js';
import { accountNamed, AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { exchangeOf } from '../../base/http/exchange-of.js';

/**
 * Reads what a page was asked for, from the query or from the form, and spends the budgets: every page its address's, a
 * password its account's too (the same as at the token endpoint), and a user code one of its own, by address.
 */
@Injectable()
export class PageGuard extends AuthThrottlerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    const isForm = http.method === 'POST';
    http.parameters = isForm ? await readParameters(http) : readQuery(http);
    const address = await this.getTracker(http);
    await this.spend(context, 'ip', address);
    if (!isForm) return true;
    const username = http.parameters.peek('username');
    if (username !== undefined) await this.spend(context, 'account', accountNamed(username));
    // RFC 8628 §5.1: as hard to guess as a password
    else if (http.parameters.peek('user_code') !== undefined) {
      await this.spend(context, 'account', `user-code ${address}`);
    }
    return true;
  }
}
