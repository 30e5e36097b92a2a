import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../base/auth.options.js';
import { AuthError } from '../base/errors/auth.error.js';
import type { Parameters } from '../base/http/parameters.js';
import { UserDirectory } from '../core/users/user-directory.js';

/** What the token endpoint's refusals are called at CloudBase's sign-in. */
@Injectable()
export class PasswordRefusals {
  constructor(
    private readonly users: UserDirectory,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  async rethrow(error: unknown, parameters: Parameters): Promise<never> {
    const { reason, retryAfter, headers } = error instanceof AuthError ? (error as AuthError) : {};
    if (reason === 'LIMIT_ACCOUNT') {
      throw new AuthError('invalid_status', { reason: 'TOO_MANY_ATTEMPTS', retryAfter, headers });
    }
    if (reason === 'USER_DISABLED') throw new AuthError('user_blocked', { reason });
    if (reason !== 'WRONG_USERNAME_OR_PASSWORD') throw error;
    const known = this.options.revealAccounts ? await this.users.knows(parameters.peek('username') ?? '') : undefined;
    if (known?.password === false) throw new AuthError('password_not_set', { reason: 'PASSWORD_NOT_SET' });
    throw new AuthError('invalid_username_or_password', { reason });
  }
}
