import { Injectable } from '@nestjs/common';
import { normalizeIp } from '@nestjs/throttler';
import type { Limit } from '../../base/auth.options.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Reason } from '../../base/errors/error-table.js';
import { Limits } from './limits.js';

/** Budgets of what a request does, spent where it is done; those of the request itself are AuthThrottlerGuard's. */
@Injectable()
export class Budgets {
  constructor(private readonly limits: Limits) {}

  /**
   * @param name of the budget, apart from any other's
   * @param owner whose it is
   * @throws AuthError resource_exhausted
   */
  async spend(name: string, owner: string, limit: Limit, reason: Reason<'resource_exhausted'>): Promise<void> {
    if (!limit) return;
    const ttl = limit.seconds * 1000;
    const { storage } = this.limits;
    const hit = await storage.increment(`${name}:${owner}`, ttl, limit.requests, ttl, name);
    if (!hit.isBlocked) return;
    throw new AuthError('resource_exhausted', { reason, retryAfter: Math.max(1, hit.timeToBlockExpire) });
  }
}

/** Where somebody asks from, as far as it can be told apart: an address of IPv4, a /48 of IPv6. */
export function networkOf(ip: string | undefined): string {
  return normalizeIp(ip ?? '', 48);
}
