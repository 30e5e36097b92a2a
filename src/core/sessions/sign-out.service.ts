import { Injectable, SetMetadata } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { marked } from '../../base/door.js';
import { SessionService } from './session.service.js';

/** Something besides sessions that keeps users signed in, such as their browsers. Mark its class with `@KeepsSignedIn()`. */
export interface SignInKeeper {
  /** Ends all of it for a user. */
  endAll(sub: string): Promise<unknown>;
}

const KEEPS_SIGNED_IN = 'nest-auth:keeps-signed-in';

/** Makes a provider of any module a SignInKeeper. */
export const KeepsSignedIn: () => (target: new (...args: never[]) => SignInKeeper) => void = () =>
  SetMetadata(KEEPS_SIGNED_IN, true);

/** Signs users out of everything. */
@Injectable()
export class SignOutService {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly sessions: SessionService,
  ) {}

  /** @returns how many sessions were alive */
  async everywhere(sub: string): Promise<number> {
    // before the sessions: a browser that stays signed in would get its next code at once
    for (const keeper of marked<SignInKeeper>(this.discovery, KEEPS_SIGNED_IN)) await keeper.endAll(sub);
    return this.sessions.revokeAll({ sub });
  }
}
