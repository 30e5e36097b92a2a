import { Injectable } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { AccessTokenService } from './access-token.service.js';
import { RefreshTokens } from './refresh-token.js';
import type { Party } from './lease.js';
import { SessionService } from './session.service.js';

/** Takes tokens back (RFC 7009). */
@Injectable()
export class RevocationService {
  constructor(
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: SessionService,
    private readonly audit: Audit,
  ) {}

  /**
   * Ends the whole session behind a refresh or access token of this client, even one that has expired. Anything else changes nothing, and the
   * caller cannot tell: unknown, ended before, or another client's (RFC 7009 §2.2).
   * @throws AuthError unsupported_token_type for a client's own access token, which no session stands behind
   */
  async revoke(token: string, { client, requestId }: Party): Promise<void> {
    const sessionId = this.refreshTokens.read(token)?.sessionId ?? (await this.sessionOf(token, client.id));
    if (sessionId === undefined || !(await this.sessions.revoke(sessionId, client.id))) return;
    this.audit.record({ event: 'session_revoked', requestId, clientId: client.id, sessionId });
  }

  private async sessionOf(token: string, clientId: string): Promise<string | undefined> {
    const claims = await this.accessTokens.verify(token, { expired: true });
    if (!claims || claims.client_id !== clientId) return undefined;
    // RFC 7009 §2.2.1; 200 would be a promise that nobody keeps
    if (claims.sid === undefined) throw new AuthError('unsupported_token_type', { reason: 'TOKEN_NOT_REVOCABLE' });
    return claims.sid;
  }
}
