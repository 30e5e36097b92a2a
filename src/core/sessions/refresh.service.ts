import { Inject, Injectable } from '@nestjs/common';
import { Audit, type AuditEvent } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { checkKeyBinding } from '../dpop/key-binding.js';
import { holderOf, type User, Users } from '../users/users.js';
import { endedBy, type EndReason, outdated } from './ending.js';
import type { Lease, Party, RefreshedSession } from './lease.js';
import { Networks } from './networks.js';
import { type RefreshToken, RefreshTokens } from './refresh-token.js';
import type { Session } from './session.entity.js';
import { SessionService } from './session.service.js';

type NetworkPair = Pick<AuditEvent, 'rotatedFrom' | 'repeatedFrom'>;

/** Judges a presented refresh token. What keeps an honest client signed in and a thief out is here. */
@Injectable()
export class RefreshService {
  constructor(
    private readonly tokens: RefreshTokens,
    private readonly sessions: SessionService,
    private readonly networks: Networks,
    private readonly users: Users,
    private readonly clock: Clock,
    private readonly audit: Audit,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Exchanges a refresh token for its successor; a repeat of the exchange gets the very same one.
   * @param scope what this access token shall have; left out: the session's
   * @throws AuthError invalid_grant; invalid_scope and invalid_dpop_proof, with the token not used up
   */
  async rotate(presented: string, party: Party, scope?: string[]): Promise<Lease> {
    const token = party.read?.token === presented ? party.read.says : this.tokens.read(presented);
    if (!token) throw refused('REFRESH_TOKEN_INVALID');
    if (scope ?? party.useProof) await this.refuseUnused(token, party, scope);
    const session = (await this.sessions.advance(token, party)) ?? (await this.unmoved(token, party));
    const user = await this.userOf(session, token);
    return {
      sessionId: token.sessionId,
      user,
      scope: scope ?? session.scope,
      authenticatedAt: session.authenticated_at,
      refreshToken: this.tokens.derive({ ...token, generation: token.generation + 1 }),
      // who asks for less gets less, in this, too
      accountAccess: session.account_access && session.scope.every((word) => scope?.includes(word) ?? true),
      dpopJkt: party.dpopJkt,
    };
  }

  /** The exchange came to nothing, and its answer never left: the client may try again with the token that it has. */
  async giveBack({ refreshToken }: Lease): Promise<void> {
    const { sessionId, generation } = this.tokens.read(refreshToken)!;
    await this.sessions.giveBack({ sessionId, generation: generation - 1 });
  }

  /** What is refused with neither token nor proof used up. A session that is over is refused when it does not move. */
  private async refuseUnused({ sessionId }: RefreshToken, party: Party, scope: string[] = []): Promise<void> {
    const session = await this.sessions.boundsOf(sessionId);
    if (session?.client_id !== party.client.id) return;
    // RFC 6749 §6: must not widen scope
    if (!scope.every((word) => session.scope.includes(word))) {
      throw new AuthError('invalid_scope', { reason: 'SCOPE_WIDENED' });
    }
    checkKeyBinding(session.dpop_jkt, party.dpopJkt);
    await party.useProof?.();
  }

  /** Why the session did not move: the token is no good, or has been exchanged before. */
  private async unmoved(token: RefreshToken, party: Party): Promise<RefreshedSession> {
    const session = await this.sessions.find(token.sessionId);
    if (!session || session.expires_at <= this.clock.now()) throw refused('REFRESH_TOKEN_EXPIRED');
    if (session.client_id !== party.client.id) throw refused('REFRESH_TOKEN_INVALID');
    if (session.revoked_at !== null) throw refused(session.end_reason ?? 'SESSION_REVOKED');
    checkKeyBinding(session.dpop_jkt, party.dpopJkt);
    if (session.generation <= token.generation) return this.again(token, party);
    if (session.generation !== token.generation + 1 || !this.mayRepeat(session, party)) {
      throw await this.stolen(session, party);
    }
    await this.refuseTwoInStep(session, party);
    return session;
  }

  /** A parallel request has given the session back since we tried. */
  private async again(token: RefreshToken, party: Party): Promise<RefreshedSession> {
    const session = await this.sessions.advance(token, party);
    if (!session) throw new AuthError('unavailable', { reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 });
    return session;
  }

  /** Whether this party may exchange the token once more that the living one came from. */
  private mayRepeat({ rotated_at, rotated_by_device, dpop_jkt }: Session, { client, deviceId }: Party): boolean {
    const window = (client.refresh_retry_window ?? this.options.refreshRetryWindow) * 1000;
    if (window === 0 || rotated_at === null || this.clock.now() - rotated_at > window) return false;
    if (!client.public) return true;
    if (dpop_jkt !== null) return true; // it has proven the key that the session is bound to
    return (deviceId ?? null) === rotated_by_device;
  }

  /**
   * A token that is exchanged in one network and again in another: somebody who travels while an answer is lost, or two
   * who share it. Travellers don't do it twice in a row from the same place to the same place; two in step do nothing else.
   */
  private async refuseTwoInStep(session: Session, party: Party): Promise<void> {
    const [rotatedFrom, repeatedFrom] = [session.rotated_by_network, this.networks.of(party)];
    if (session.dpop_jkt !== null || rotatedFrom === null || repeatedFrom === null) return;
    if (this.networks.isOf(rotatedFrom, party)) return;
    const networks = `${rotatedFrom} ${repeatedFrom}`;
    const [knownFrom, knownTo = ''] = (session.repeated_networks ?? '').split(' ');
    const isKnown = knownFrom === rotatedFrom && this.networks.isOf(knownTo, party);
    const known = isKnown ? session.repeated_generation : undefined;
    if (known === session.generation) return; // sent once more from there: it counts once
    if (known === session.generation - 1) throw await this.stolen(session, party, { rotatedFrom, repeatedFrom });
    await this.sessions.rememberRepeat(session, networks);
    this.record('refresh_token_repeated_elsewhere', session, party, { rotatedFrom, repeatedFrom });
  }

  /** RFC 9700 §4.14.2: a token that was replaced is presented again, so somebody else holds one. */
  private async stolen(session: Session, party: Party, inStep?: NetworkPair): Promise<AuthError> {
    await this.sessions.revoke(session.id, endedBy('server', 'REFRESH_TOKEN_REUSED', party));
    this.record('refresh_token_reused', session, party, inStep);
    return refused('REFRESH_TOKEN_REUSED');
  }

  private record(
    event: AuditEvent['event'],
    { id, client_id, sub }: Session,
    { requestId }: Party,
    networks?: NetworkPair,
  ): void {
    this.audit.record({ event, requestId, clientId: client_id, sub, sessionId: id, ...networks });
  }

  private async userOf(session: RefreshedSession, token: RefreshToken): Promise<User> {
    const signIn = { ...session, sessionId: token.sessionId };
    const user = await holderOf(this.users, session.sub, signIn).catch(async (error: unknown) => {
      // a passing fault of the host's user table must not cost the session; it is what the caller hears of
      await this.sessions.giveBack(token).catch(() => undefined);
      throw error;
    });
    if (user) return user;
    const ending = outdated(await this.users.find(session.sub, { fresh: true }));
    await this.sessions.revoke(token.sessionId, ending);
    throw refused(ending.reason);
  }
}

function refused(reason: 'REFRESH_TOKEN_INVALID' | 'REFRESH_TOKEN_EXPIRED' | EndReason): AuthError<'invalid_grant'> {
  return new AuthError('invalid_grant', { reason });
}
