import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type FindOptionsWhere, In, IsNull, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { holds, Users } from '../users/users.js';
import type { Lease, NewSession, Party, RefreshedSession } from './lease.js';
import { type RefreshToken, RefreshTokens } from './refresh-token.js';
import { Session } from './session.entity.js';

/** What a rotation returns, as the database does: SQLite has no boolean, PostgreSQL's bigint is a string. */
type RotatedRow = Pick<Session, 'sub'> & {
  scope: string;
  authenticated_at: number | string;
  account_access: boolean | number;
};

/** Opens sessions, moves them on and ends them. Who may have one moved on, RefreshService judges. */
@Injectable()
@Sweeps()
export class SessionService {
  private readonly sessions = this.database.repository(Session);
  private readonly rotation = this.database.statement<RotatedRow>(
    `UPDATE auth_session SET generation = ?, rotated_at = ?, rotated_by_device = ?
     WHERE id = ? AND client_id = ? AND generation <= ? AND revoked_at IS NULL AND expires_at > ?
       AND (dpop_jkt IS NULL OR dpop_jkt = ?)
     RETURNING sub, scope, authenticated_at, account_access`,
  );
  private readonly insertion = this.database.statement(
    `INSERT INTO auth_session
       (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at, device_id, dpop_jkt,
        browser_session_id, account_access)
     VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)`,
  );

  constructor(
    private readonly database: AuthDatabase,
    private readonly tokens: RefreshTokens,
    private readonly users: Users,
    private readonly clock: Clock,
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
    { sub, scope, authenticatedAt, accountAccess = false, browserSessionId, consume }: NewSession,
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
      accountAccess,
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
    return { sessionId: id, user, scope, authenticatedAt, refreshToken, accountAccess, dpopJkt: party.dpopJkt };
  }

  /**
   * Moves a living session of this client on to the generation after the token's, by one conditional UPDATE. Not where
   * it has gone there before, nor where the key that it is bound to is not proven.
   *
   * A token of a later generation than the row's is ours all the same, for only we can derive it: the row lost a
   * rotation to a power cut or a restored backup. It moves the row on, and nobody is logged out.
   * @returns undefined where the session did not move
   */
  async advance({ sessionId, generation }: RefreshToken, party: Party): Promise<RefreshedSession | undefined> {
    const now = this.clock.now();
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
    if (!row) return undefined;
    return {
      sub: row.sub,
      scope: row.scope.split(' ').filter(Boolean),
      authenticated_at: Number(row.authenticated_at),
      account_access: Boolean(row.account_access),
    };
  }

  /** Undoes advance() whose answer never left. Safe even where a parallel request got the successor: see there. */
  async giveBack({ sessionId, generation }: RefreshToken): Promise<void> {
    await this.sessions.update({ id: sessionId, generation: generation + 1 }, { generation, rotated_at: null });
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

  /** Notes that the user of a session has proven once more who they are, for what asks for a recent proof. */
  async prove(id: string, provenAt: number): Promise<void> {
    await this.sessions.update({ id, revoked_at: IsNull() }, { proven_at: provenAt });
    await this.database.flush();
  }

  /** The same for a sign-in that has to count from then on. */
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
