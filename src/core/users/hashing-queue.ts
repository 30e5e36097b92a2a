import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { AuthError } from '../../base/errors/auth.error.js';

/** Bounds how many passwords are hashed at once and how many may wait, so that a flood of sign-ins starves nothing else. */
@Injectable()
export class HashingQueue {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(@Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions) {}

  /** @throws AuthError unavailable, at once, where the queue is full */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.options.hashingConcurrency) {
      this.running++;
    } else {
      if (this.waiting.length >= this.options.hashingQueue) {
        throw new AuthError('unavailable', { reason: 'SIGN_IN_QUEUE_FULL', retryAfter: 1 });
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve)); // the one who ends hands its place over
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
