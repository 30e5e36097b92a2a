import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type FindOptionsWhere, In, IsNull, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { AuditSink } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Client } from '../clients/client.entity.js';
import { Clock } from '../../base/clock.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { checkKeyBinding } from '../dpop/key-binding.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { holds, type User, Users } from '../users/users.js';
import { type RefreshToken, RefreshTokens } from './refresh-token.js';
import { Session } from './session.entity.js';

/** Who presents a token: an authenticated client, perhaps from a named device, perhaps with a key of its own. */
export interface Party {
  client: Client;
  deviceId?: string;
  /** Thumbprint of the key that a DPoP proof of this request was made with (RFC 9449). */
  dpopJkt?: string;
  requestId: string;
}

export interface NewSession {
  sub: string;
  scope: string[];
  /** When the user proved who they are, in milliseconds since the Unix epoch. */
  authenticatedAt: number;
  /** The browser session that it is opened from. */
  browserSessionId?: string;
  /** Uses up the code that this sign-in is for: one conditional UPDATE. False ends the attempt. */
  consume?: (sessionId: string) => Promise<boolean>;
}

/** A living session with its user and the one refresh token that works next. */
export interface Lease {
  sessionId: string;
  user: User;
  scope: string[];
  authenticatedAt: number;
  refreshToken: string;
  /** Thumbprint of the key that the access token shall be bound to; undefined: a Bearer token. */
  dpopJkt?: string;
}

type RotatedRow = Pick<Session, 'sub' | 'authenticated_at'> & { scope: string };

/** Opens, rotates and ends sessions. Everything that keeps an honest client signed in and a thief out is here. */
@Injectable()
@Sweeps()
export class SessionService {
  private readonly sessions = this.database.repository(Session);
  private readonly rotation = this.database.statement<RotatedRow>(
    `UPDATE auth_session SET generation = ?, rotated_at = ?, rotated_by_device = ?
     WHERE id = ? AND client_id = ? AND generation <= ? AND revoked_at IS NULL AND expires_at > ?
       AND (dpop_jkt IS NULL OR dpop_jkt = ?)
     RETURNING sub, scope, authenticated_at`,
  );
  private readonly insertion = this.database.statement(
    `INSERT INTO auth_session
       (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at, device_id, dpop_jkt,
        browser_session_id)
     VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`,
  );
  private readonly scopeOf = this.database.statement<{ scope: string }>(
    'SELECT scope FROM auth_session WHERE id = ? AND client_id = ?',
  );

  constructor(
    private readonly database: AuthDatabase,
    private readonly tokens: RefreshTokens,
    private readonly users: Users,
    private readonly clock: Clock,
    private readonly audit: AuditSink,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Opens a session. The row is there before the code is used up, so whoever presents the code again finds the session
   * to revoke; and the user is looked up after that, so a password change or a disabling meanwhile is not missed.
   * @returns undefined where `consume` said no
   * @throws AuthError permission_denied where the user is disabled, user_pending where they wait for approval,
   *   invalid_grant where the sign-in no longer holds
   */
  async open(
    party: Party,
    { sub, scope, authenticatedAt, browserSessionId, consume }: NewSession,
  ): Promise<Lease | undefined> {
    const now = this.clock.now();
    const id = randomBytes(16).toString('base64url');
    await this.insertion.all([
      id,
      sub,
      party.client.id,
      scope.join(' '),
      authenticatedAt,
      now,
      now + (party.client.refresh_token_ttl ?? this.options.refreshTokenTtl) * 1000,
      party.deviceId ?? null,
      (party.client.public ? party.dpopJkt : undefined) ?? null, // RFC 9449 §5
      browserSessionId ?? null,
    ]);
    if (consume && !(await consume(id))) {
      await this.sessions.delete({ id });
      return undefined;
    }
    const user = await this.users.find(sub, { fresh: true });
    if (!user || !holds(user, authenticatedAt)) {
      await this.revoke(id);
      if (user?.disabled) throw new AuthError('permission_denied', { reason: 'USER_DISABLED' });
      if (user?.pending) throw new AuthError('user_pending', { reason: 'USER_PENDING' });
      throw new AuthError('invalid_grant', { reason: 'SESSION_REVOKED' });
    }
    if (party.deviceId !== undefined && this.options.maxDevices > 0) await this.limitDevices(sub, party.deviceId);
    await this.database.flush();
    const refreshToken = this.tokens.derive({ sessionId: id, generation: 0 });
    return { sessionId: id, user, scope, authenticatedAt, refreshToken, dpopJkt: party.dpopJkt };
  }

  /**
   * Exchanges a refresh token for its successor, by one conditional UPDATE.
   *
   * A token of a later generation than the row's is ours all the same, for only we can derive it: the row lost a
   * rotation to a power cut or a restored backup. It moves the row on, and nobody is logged out.
   * @param scope what this access token shall have; left out: the session's
   * @throws AuthError invalid_grant; invalid_scope and invalid_dpop_proof, with the token not used up
   */
  async rotate(presented: string, party: Party, scope?: string[]): Promise<Lease> {
    const token = this.tokens.read(presented);
    if (!token) throw new AuthError('invalid_grant', { reason: 'REFRESH_TOKEN_INVALID' });
    if (scope) await this.refuseWiderScope(token, party, scope);
    const row = (await this.advance(token, party)) ?? (await this.retry(token, party));
    const granted = typeof row.scope === 'string' ? row.scope.split(' ').filter(Boolean) : row.scope;
    const authenticatedAt = Number(row.authenticated_at);
    const user = await this.users.find(row.sub, { fresh: false }).catch(async (error: unknown) => {
      await this.giveBack(token); // a passing fault of the host's user table must not cost the session
      throw error;
    });
    if (!user || !holds(user, authenticatedAt)) {
      await this.revoke(token.sessionId);
      throw new AuthError('invalid_grant', { reason: 'SESSION_REVOKED' });
    }
    const refreshToken = this.tokens.derive({ ...token, generation: token.generation + 1 });
    const { sessionId } = token;
    return { sessionId, user, scope: scope ?? granted, authenticatedAt, refreshToken, dpopJkt: party.dpopJkt };
  }

  /**
   * @param clientId only if it is a session at this client
   * @returns whether there was such a session and it was alive
   */
  async revoke(id: string, clientId?: string): Promise<boolean> {
    return (await this.end({ id, ...(clientId === undefined ? {} : { client_id: clientId }) })) === 1;
  }

  /** Ends a user's sessions on one device. @returns how many were alive */
  revokeDevice(sub: string, deviceId: string): Promise<number> {
    return this.end({ sub, device_id: deviceId });
  }

  /** The user of a session has proven once more who they are. */
  async reauthenticate(id: string, authenticatedAt: number): Promise<void> {
    await this.sessions.update({ id, revoked_at: IsNull() }, { authenticated_at: authenticatedAt });
    await this.database.flush();
  }

  /** Ends every session of a user but this one. */
  revokeOthers(sub: string, id: string): Promise<number> {
    return this.end({ sub, id: Not(id) });
  }

  /**
   * Ends every session of a user, of a client, or of a user at a client.
   * @returns how many were alive
   */
  revokeAll(of: { sub: string; clientId?: string } | { clientId: string }): Promise<number> {
    const { sub, clientId } = of as { sub?: string; clientId?: string };
    return this.end({
      ...(sub === undefined ? {} : { sub }),
      ...(clientId === undefined ? {} : { client_id: clientId }),
    });
  }

  /** Ends every session that was opened from a browser session. @returns how many were alive */
  revokeOpenedFrom(browserSessionId: string): Promise<number> {
    return this.end({ browser_session_id: browserSessionId });
  }

  /** The session, if it has neither expired nor been revoked, and its user may still hold it. */
  async findAlive(id: string): Promise<Session | undefined> {
    const session = await this.sessions.findOneBy({ id, revoked_at: IsNull(), expires_at: MoreThan(this.clock.now()) });
    if (!session) return undefined;
    const user = await this.users.find(session.sub, { fresh: false });
    return user && holds(user, session.authenticated_at) ? session : undefined;
  }

  async isAlive(id: string): Promise<boolean> {
    return (await this.findAlive(id)) !== undefined;
  }

  async find(id: string): Promise<Session | undefined> {
    return (await this.sessions.findOneBy({ id })) ?? undefined;
  }

  /** The sessions of a user that have not expired, newest first. */
  async list(sub: string): Promise<Session[]> {
    const sessions = await this.sessions.find({ where: { sub }, order: { created_at: 'DESC', id: 'ASC' } });
    return sessions.filter((session) => session.expires_at > this.clock.now());
  }

  /** Removes at most `batch` expired sessions. */
  removeExpired(batch: number): Promise<number> {
    const where = { expires_at: LessThanOrEqual(this.clock.now()) };
    return this.database.deleteSome(this.sessions, 'id', where, batch);
  }

  private async advance(token: RefreshToken, party: Party): Promise<RotatedRow | undefined> {
    const now = this.clock.now();
    const { sessionId, generation } = token;
    const [row] = await this.rotation.all([
      generation + 1,
      now,
      party.deviceId ?? null,
      sessionId,
      party.client.id,
      generation,
      now,
      party.dpopJkt ?? null,
    ]);
    return row;
  }

  /** The token did not rotate: a retry by the party that rotated it is answered again, anything else is refused. */
  private async retry(token: RefreshToken, party: Party): Promise<Session | RotatedRow> {
    const row = await this.sessions.findOneBy({ id: token.sessionId });
    const now = this.clock.now();
    if (!row || row.expires_at <= now) throw new AuthError('invalid_grant', { reason: 'REFRESH_TOKEN_EXPIRED' });
    if (row.client_id !== party.client.id) throw new AuthError('invalid_grant', { reason: 'REFRESH_TOKEN_INVALID' });
    if (row.revoked_at !== null) throw new AuthError('invalid_grant', { reason: 'SESSION_REVOKED' });
    checkKeyBinding(row.dpop_jkt, party.dpopJkt);
    if (row.generation <= token.generation) {
      // given back by a parallel request since we tried
      const again = await this.advance(token, party);
      if (again) return again;
      throw new AuthError('unavailable', { reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 });
    }
    const inWindow = row.rotated_at !== null && now - row.rotated_at <= this.options.refreshRetryWindow * 1000;
    const windowOpen = this.options.refreshRetryWindow > 0 && inWindow;
    const sameDevice = party.deviceId !== undefined && party.deviceId === row.rotated_by_device;
    const sameParty = !party.client.public || row.dpop_jkt !== null || sameDevice; // the bound key was proven above
    if (row.generation === token.generation + 1 && windowOpen && sameParty) return row;
    // RFC 9700 §4.14.2: a token that was replaced is presented again, so somebody else holds one
    await this.revoke(row.id);
    this.audit.record({
      event: 'refresh_token_reused',
      requestId: party.requestId,
      clientId: row.client_id,
      sub: row.sub,
      sessionId: row.id,
    });
    throw new AuthError('invalid_grant', { reason: 'REFRESH_TOKEN_REUSED' });
  }

  private async refuseWiderScope(token: RefreshToken, party: Party, scope: string[]): Promise<void> {
    const [row] = await this.scopeOf.all([token.sessionId, party.client.id]);
    const granted = row?.scope.split(' ');
    if (!granted || scope.every((word) => granted.includes(word))) return; // without a row the UPDATE will tell
    throw new AuthError('invalid_scope', { reason: 'SCOPE_WIDENED' }); // RFC 6749 §6: must not widen scope
  }

  /** Undoes a rotation whose answer never left. Safe even where a parallel request got the successor: see rotate(). */
  private async giveBack({ sessionId, generation }: RefreshToken): Promise<void> {
    await this.sessions
      .update({ id: sessionId, generation: generation + 1 }, { generation, rotated_at: null })
      .catch(() => undefined); // the fault itself is what the caller hears of
  }

  /** Ends the sessions on the devices that a user signed in on before the newest ones. */
  private async limitDevices(sub: string, current: string): Promise<void> {
    const alive = (await this.list(sub)).filter((session) => session.revoked_at === null);
    const devices = new Set([current, ...alive.flatMap((session) => session.device_id ?? [])]); // newest first
    const tooMany = [...devices].slice(this.options.maxDevices);
    if (tooMany.length > 0) await this.end({ sub, device_id: In(tooMany) });
  }

  private async end(of: FindOptionsWhere<Session>): Promise<number> {
    const { affected } = await this.sessions.update({ ...of, revoked_at: IsNull() }, { revoked_at: this.clock.now() });
    await this.database.flush();
    return affected ?? 0;
  }
}
