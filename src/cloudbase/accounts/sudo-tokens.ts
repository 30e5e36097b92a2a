import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';

const SUDO_TOKEN = purpose('sudo-token');

/** Life of a sudo token, in seconds. */
const TTL = 600;

/**
 * A sudo token says that a user has just proven who they are. It is sealed rather than stored, belongs to one session,
 * and is dead when the password changes, for it is older than that.
 */
@Injectable()
export class SudoTokens {
  constructor(
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  issue(sub: string, sid: string): string {
    return this.secret.seal(SUDO_TOKEN, Buffer.from(JSON.stringify({ sub, sid, at: this.clock.now() })));
  }

  /** @throws AuthError invalid_verification_code */
  check(token: string, sub: string, sid: string, validAfter = 0): void {
    const said = this.read(token);
    const now = this.clock.now();
    const fits = said?.sub === sub && said.sid === sid;
    if (!fits || said.at < validAfter || said.at + TTL * 1000 <= now) {
      throw new AuthError('invalid_verification_code', { reason: 'SUDO_TOKEN_INVALID' });
    }
  }

  private read(token: string): { sub: string; sid: string; at: number } | undefined {
    try {
      return JSON.parse(this.secret.open(SUDO_TOKEN, token).toString()) as { sub: string; sid: string; at: number };
    } catch {
      return undefined;
    }
  }
}
