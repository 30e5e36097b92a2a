import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';

interface SudoToken {
  sub: string;
  sid: string;
  /** Of the user's credentials. */
  version: number;
  at: number;
}

/** Life of a sudo token, in seconds. */
const TTL = 600;
const SUDO_TOKEN = purpose('sudo-token', TTL * 1000);

/**
 * A sudo token says that a user has just proven who they are. It is sealed rather than stored, belongs to one session,
 * and is dead when the password changes, for it names the version before.
 */
@Injectable()
export class SudoTokens {
  constructor(
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  issue(sub: string, sid: string, version: number): string {
    const said: SudoToken = { sub, sid, version, at: this.clock.now() };
    return this.secret.seal(SUDO_TOKEN, Buffer.from(JSON.stringify(said)));
  }

  /** @throws AuthError invalid_verification_code */
  check(token: string, sub: string, sid: string, version: number): void {
    const said = this.read(token);
    const now = this.clock.now();
    const fits = said?.sub === sub && said.sid === sid && said.version === version;
    if (!fits || said.at + TTL * 1000 <= now) {
      throw new AuthError('invalid_verification_code', { reason: 'SUDO_TOKEN_INVALID' });
    }
  }

  private read(token: string): SudoToken | undefined {
    try {
      return JSON.parse(this.secret.open(SUDO_TOKEN, token).toString()) as SudoToken;
    } catch {
      return undefined;
    }
  }
}
