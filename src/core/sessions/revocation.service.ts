import { Injectable } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { checkKeyBinding } from '../dpop/key-binding.js';
import { AccessTokenService } from './access-token.service.js';
import { endedBy } from './ending.js';
import { RefreshTokens } from './refresh-token.js';
import type { Party } from './lease.js';
import { SessionService } from './session.service.js';

/** A token that stands for a session, and the key that the token itself is bound to. */
interface Presented {
  sessionId: string;
  jkt?: string;
}

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
   * @throws AuthError unsupported_token_type for a client's own access token, which no session stands behind;
   *   invalid_dpop_proof and invalid_grant where a public client does not prove the key that the token is bound to
   */
  async revoke(token: string, party: Party): Promise<void> {
    const { client, requestId } = party;
    const presented = this.refreshTokens.read(token) ?? (await this.accessToken(token, client.id));
    if (!presented) return;
    const { sessionId } = presented;
    if (client.public && !(await this.isTheirs(presented, party))) return;
    if (!(await this.sessions.revoke(sessionId, endedBy('client', 'SIGNED_OUT', party), client.id))) return;
    this.audit.record({ event: 'session_revoked', requestId, clientId: client.id, sessionId });
  }

  private async accessToken(token: string, clientId: string): Promise<Presented | undefined> {
    const claims = await this.accessTokens.verify(token, { expired: true });
    if (!claims || claims.client_id !== clientId) return undefined;
    // RFC 7009 §2.2.1; 200 would be a promise that nobody keeps
    if (claims.sid === undefined) throw new AuthError('unsupported_token_type', { reason: 'TOKEN_NOT_REVOCABLE' });
    return { sessionId: claims.sid, jkt: claims.cnf?.jkt };
  }

  /**
   * Anybody can be a public client, so a token that is bound is worth nothing there without its key (RFC 9449 §5, §7).
   * A confidential one has proven that the token was issued to it (RFC 7009 §2.1).
   * @returns false where there is nothing to end
   */
  private async isTheirs({ sessionId, jkt }: Presented, party: Party): Promise<boolean> {
    const session = await this.sessions.findOpen(sessionId);
    if (session?.client_id !== party.client.id) return false;
    const bound = jkt ?? session.dpop_jkt;
    checkKeyBinding(bound, party.dpopJkt);
    if (bound !== null) await party.useProof?.();
    return true;
  }
}
