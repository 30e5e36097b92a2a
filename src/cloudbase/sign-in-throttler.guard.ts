import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { ThrottlerLimitDetail } from '@nestjs/throttler';
import { AuthError } from '../base/errors/auth.error.js';
import { AuthThrottlerGuard } from '../core/throttling/auth-throttler.guard.js';

/** `POST /auth/v1/signin`: the budgets of the password grant, under the word that CloudBase has for a spent account. */
@Injectable()
export class SignInThrottlerGuard extends AuthThrottlerGuard {
  protected override async throwThrottlingException(
    context: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    try {
      await super.throwThrottlingException(context, detail);
    } catch (error) {
      if (!(error instanceof AuthError) || error.reason !== 'LIMIT_ACCOUNT') throw error;
      const { retryAfter, headers } = error as AuthError;
      throw new AuthError('invalid_status', { reason: 'TOO_MANY_ATTEMPTS', retryAfter, headers });
    }
  }
}
