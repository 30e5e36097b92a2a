import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { canonicalName } from '../users/contact.js';
import { normalizeUsername } from '../users/username.js';
import { type User, Users } from '../users/users.js';
import { type Attempt, AttemptBudgets } from './attempt-budgets.js';
import { addressOf } from './payer.js';

/**
 * What an attempt comes from, if its account has been signed in to from there before: a device, a browser, a session.
 * @param sub of the account
 */
export type Familiar = (sub: string) => string | undefined | Promise<string | undefined>;

/**
 * Judges what proves that somebody is the owner of an account, where it could be guessed: each failure costs the account
 * one attempt, at whichever door and under whichever of its names, and while there is none left nothing is judged.
 */
@Injectable()
export class Attempts {
  constructor(
    private readonly budgets: AttemptBudgets,
    private readonly users: Users,
  ) {}

  /**
   * Checks a password.
   * @param username as it was typed
   * @throws AuthError resource_exhausted, unavailable
   */
  async password(username: string, password: string, familiar?: Familiar): Promise<User | undefined> {
    const name = normalizeUsername(username);
    const account = (await this.users.subOf?.(name)) ?? canonicalName(name);
    return this.ofAccount(account, () => this.users.verify(name, password), familiar);
  }

  /**
   * @param judged undefined counts as a failure, and a throw as neither
   * @throws AuthError resource_exhausted, unavailable
   */
  async ofAccount<T>(sub: string, judged: () => Promise<T | undefined>, familiar?: Familiar): Promise<T | undefined> {
    const anybodys = `of ${sub}`;
    return this.judge(anybodys, judged, async () => {
      const from = await familiar?.(sub);
      return from === undefined ? undefined : `${anybodys}\0${from}`;
    });
  }

  /** A user code, which is to be as hard to guess as a password (RFC 8628 §5.1); the attempts are its address's. */
  userCode<T>(http: HttpExchange, judged: () => Promise<T | undefined>): Promise<T | undefined> {
    return this.judge(`user-code ${addressOf(http)}`, judged);
  }

  private async judge<T>(
    owner: string,
    judged: () => Promise<T | undefined>,
    familiarOwner?: () => Promise<string | undefined>,
  ): Promise<T | undefined> {
    const attempt = await this.take(owner, familiarOwner);
    let failed = false;
    try {
      const found = await judged();
      failed = found === undefined;
      return found;
    } finally {
      await attempt.end(failed);
    }
  }

  /** Strangers may have spent the account's attempts; who is familiar then has some of their own. */
  private async take(owner: string, familiarOwner?: () => Promise<string | undefined>): Promise<Attempt> {
    try {
      return await this.budgets.take(owner);
    } catch (error) {
      const isSpent = error instanceof AuthError && error.code === 'resource_exhausted';
      const own = isSpent ? await familiarOwner?.() : undefined;
      if (own === undefined) throw error;
      return this.budgets.take(own);
    }
  }
}
