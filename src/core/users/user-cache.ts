import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../base/clock.js';
import type { User } from './users.js';

/** How old an answer of Users.find() may be that need not be fresh, in milliseconds. */
const CACHED_FOR = 2000;

/** Users as they were a moment ago; this process forgets whom it changes. */
@Injectable()
export class UserCache {
  private readonly users = new LRUCache<string, { user: User; until: number }>({ max: 10_000 });

  constructor(private readonly clock: Clock) {}

  get(sub: string): User | undefined {
    const cached = this.users.get(sub);
    return cached && cached.until > this.clock.monotonic() ? cached.user : undefined;
  }

  keep(user: User): User {
    this.users.set(user.sub, { user, until: this.clock.monotonic() + CACHED_FOR });
    return user;
  }

  forget(sub: string): void {
    this.users.delete(sub);
  }
}
