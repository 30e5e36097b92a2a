import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { readParameters, readQuery } from '../../base/http/body.js';
import { parametersOf, setParameters } from '../../base/http/parameters.js';
import { accountNamed, AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';

/**
 * Reads what a page was asked for, from the query or from the form, and spends the budgets: every page its address's, a
 * password its account's too (the same as at the token endpoint), and a user code one of its own, by address.
 */
@Injectable()
export class PageGuard extends AuthThrottlerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const isForm = request.method === 'POST';
    setParameters(request, isForm ? await readParameters(request) : readQuery(request));
    const address = await this.getTracker(request);
    await this.spend(context, 'ip', address);
    if (!isForm) return true;
    const username = parametersOf(request).peek('username');
    if (username !== undefined) await this.spend(context, 'account', accountNamed(username));
    // RFC 8628 §5.1: as hard to guess as a password
    else if (parametersOf(request).peek('user_code') !== undefined) {
      await this.spend(context, 'account', `user-code ${address}`);
    }
    return true;
  }
}
