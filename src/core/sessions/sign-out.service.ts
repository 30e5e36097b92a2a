import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { marked } from '../../base/door.js';
import { AuthorizationCodeService } from '../codes/authorization-code.service.js';
import { DeviceAuthorizationService } from '../devices/device-authorization.service.js';
import { KEEPS_SIGNED_IN, type SignInKeeper } from '../holdings/keeps-signed-in.js';
import { UserService } from '../users/user.service.js';
import { REVOKED } from './ending.js';
import { SessionService } from './session.service.js';
import type { Whose } from './whose.js';

/** Ends sessions together with all that is under way to become one. */
@Injectable()
export class SignOutService {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly users: UserService,
    private readonly codes: AuthorizationCodeService,
    private readonly devices: DeviceAuthorizationService,
    private readonly sessions: SessionService,
  ) {}

  /**
   * Signs a user out of everything. In the built-in table that is a new version of theirs, so a code or an approval that
   * is being given at this moment is worth nothing either.
   * @param ending how, for who asks afterwards
   * @returns how many sessions were alive
   */
  async everywhere(sub: string, ending = REVOKED): Promise<number> {
    await this.users.endSignIns(sub);
    return this.end({ sub }, ending);
  }

  /**
   * Ends what a user, a client, or a user at a client has: codes, approved devices, sessions, and of a user everywhere
   * their browsers.
   * @param ending how, for who asks afterwards
   * @returns how many sessions were alive
   */
  async end(of: Whose, ending = REVOKED): Promise<number> {
    // from the first to the last that a sign-in becomes: what got ahead of one statement is there for a later one
    if ('sub' in of && of.clientId === undefined) {
      for (const keeper of marked<SignInKeeper>(this.discovery, KEEPS_SIGNED_IN)) await keeper.endAll(of.sub, ending);
    }
    await this.codes.expireIssued(of);
    await this.devices.withdraw(of);
    return this.sessions.revokeAll(of, ending);
  }
}
