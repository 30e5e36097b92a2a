import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  type FindOperator,
  type FindOptionsWhere,
  IsNull,
  LessThan,
  LessThanOrEqual,
  MoreThan,
  Not,
  Raw,
} from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { NeedsSecret, type SecretNeed } from '../../base/crypto/secret-need.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { wordsOf } from '../../base/database/columns.js';
import type { Page } from '../../base/database/page.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Client } from '../clients/client.entity.js';
import { ClientService } from '../clients/client.service.js';
import { type Holder, Holds } from '../holdings/holdings.service.js';
import { holderOf, holds, refusalOf, Users, versionOf } from '../users/users.js';
import { endedBy, type Ending, outdated, REVOKED } from './ending.js';
import type { Lease, NewSession, Party, RefreshedSession } from './lease.js';
import { Networks } from './networks.js';
import { type RefreshToken, RefreshTokens } from './refresh-token.js';
import { Session } from './session.entity.js';
import { rowsOf, type Whose } from './whose.js';

/** What a rotation returns, as the database does: SQLite has no boolean, PostgreSQL's bigint is a string. */
type RotatedRow = Pick<Session, 'sub'> & {
  scope: string;
  authenticated_at: number | string;
  credentials_version: number | string;
  account_access: boolean | number;
};

/** An open session, as far as somebody asks. */
export type OpenSession = Pick<
  Session,
  | 'id'
  | 'sub'
  | 'client_id'
  | 'scope'
  | 'generation'
  | 'authenticated_at'
  | 'credentials_version'
  | 'created_at'
  | 'rotated_at'
  | 'expires_at'
  | 'dpop_jkt'
>;

/** The same as the database returns it. */
type OpenRow = Pick<Session, 'id' | 'sub' | 'client_id' | 'generation' | 'credentials_version' | 'dpop_jkt'> & {
  scope: string;
  authenticated_at: number | string;
  created_at: number | string;
  rotated_at: number | string | null;
  expires_at: number | string;
};

/** Opens sessions, moves them on and ends them. Who may have one moved on, RefreshService judges. */
@Injectable()
@Sweeps()
@NeedsSecret()
@Holds('sessions')
export class SessionService implements Holder {
  private readonly sessions = this.database.repository(Session);
  private readonly rotation = this.database.rowChange<RotatedRow>({
    table: 'auth_session',
    update: `UPDATE auth_session SET generation = ?, rotated_at = ?, rotated_by_device = ?, rotated_by_network = ?
     WHERE id = ? AND client_id = ? AND generation <= ? AND revoked_at IS NULL AND expires_at > ?
       AND (dpop_jkt IS NULL OR dpop_jkt = ?)`,
    returning: 'sub, scope, authenticated_at, credentials_version, account_access',
  });
  // the innermost SELECT stands in another, for MySQL takes no LIMIT right inside NOT IN, and none as a parameter
  private readonly deviceLimit = this.database.statement(
    `UPDATE auth_session SET revoked_at = ?, end_reason = 'DEVICE_LIMIT', ended_by = 'server', ended_from = ?,
       ended_by_device = ?
     WHERE sub = ? AND device_id <> ? AND revoked_at IS NULL AND device_id NOT IN (
       SELECT device_id FROM (
         SELECT device_id FROM auth_session
         WHERE sub = ? AND device_id <> ? AND revoked_at IS NULL AND expires_at > ?
         GROUP BY device_id ORDER BY MAX(created_at) DESC LIMIT ${Math.max(0, this.options.maxDevices - 1)}
       ) AS kept)`,
  );
  // every introspection asks it
  private readonly opened = this.database.statement<OpenRow>(
    `SELECT id, sub, client_id, scope, generation, authenticated_at, credentials_version, created_at, rotated_at,
       expires_at, dpop_jkt
     FROM auth_session WHERE id = ? AND revoked_at IS NULL AND expires_at > ?`,
  );
  // a refresh that names a scope asks it
  private readonly bounds = this.database.statement<{ client_id: string; scope: string; dpop_jkt: string | null }>(
    'SELECT client_id, scope, dpop_jkt FROM auth_session WHERE id = ? AND revoked_at IS NULL AND expires_at > ?',
  );
  private readonly old = this.database.statement<{ n: number | string; last: number | string | null }>(
    `SELECT COUNT(*) AS n, MAX(expires_at) AS last FROM auth_session
     WHERE revoked_at IS NULL AND expires_at > ? AND COALESCE(rotated_at, created_at) <= ?`,
  );
  private readonly scopes = this.database.statement<{ scope: string }>(
    'SELECT DISTINCT scope FROM auth_session WHERE client_id = ? AND revoked_at IS NULL',
  );
  private readonly scopeEnd = this.database.statement(
    `UPDATE auth_session SET revoked_at = ?, end_reason = 'CLIENT_CHANGED', ended_by = 'operator'
     WHERE client_id = ? AND scope = ? AND revoked_at IS NULL`,
  );
  private readonly insertion = this.database.statement(
    `INSERT INTO auth_session
       (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at, device_id, dpop_jkt,
        browser_session_id, credentials_version, account_access)
     VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  constructor(
    private readonly database: AuthDatabase,
    private readonly tokens: RefreshTokens,
    private readonly networks: Networks,
    private readonly users: Users,
    private readonly clients: ClientService,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Opens a session. The row is there before the code is used up, so whoever presents the code again finds the session
   * to revoke; and user and client are looked up after that, so what ended their sessions meanwhile has either ended this
   * one, too, or is seen here.
   * @returns undefined where `consume` said no
   * @throws AuthError invalid_client where the client is disabled or gone, permission_denied where the user is, user_pending
   *   where they wait for approval, invalid_grant where the sign-in no longer holds, or the client has lost its scope
   */
  async open(
    party: Party,
    { sub, scope, authenticatedAt, version, accountAccess = false, browserSessionId, consume }: NewSession,
  ): Promise<Lease | undefined> {
    await party.useProof?.(); // whatever compares its key has done so
    const now = this.clock.now();
    const id = randomBytes(16).toString('base64url');
    const credentials_version = version ?? versionOf(await this.users.find(sub, { fresh: true }));
    await this.insertion.run([
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
      credentials_version,
      accountAccess,
    ]);
    if (consume && !(await consume(id))) {
      await this.sessions.delete({ id });
      return undefined;
    }
    const user = await this.users.find(sub, { fresh: true });
    const client = await this.clients.standing(party.client.id);
    const signIn = { authenticated_at: authenticatedAt, credentials_version };
    if (!user || !client || hasLost(client, party.client, scope, accountAccess) || !holds(user, signIn)) {
      const ending = user && holds(user, signIn) ? endedBy('operator', 'CLIENT_CHANGED') : outdated(user);
      await this.revoke(id, ending);
      if (!client) throw new AuthError('invalid_client', { reason: 'CLIENT_DISABLED' });
      throw (user && refusalOf(user)) ?? new AuthError('invalid_grant', { reason: ending.reason });
    }
    if (party.deviceId !== undefined && this.options.maxDevices > 0)
      await this.limitDevices(sub, party.deviceId, party.ip);
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
    const device = party.deviceId ?? null;
    const change = [generation + 1, now, device, this.networks.of(party)];
    const where = [sessionId, party.client.id, generation, now, party.dpopJkt ?? null];
    const row = await this.rotation.run([...change, ...where], sessionId);
    if (!row) return undefined;
    const { sub, scope, authenticated_at, credentials_version, account_access } = row;
    return {
      sub,
      scope: wordsOf(scope),
      authenticated_at: Number(authenticated_at),
      credentials_version: Number(credentials_version),
      account_access: Boolean(account_access),
    };
  }

  /** Undoes advance() whose answer never left. Safe even where a parallel request got the successor: see there. */
  async giveBack({ sessionId, generation }: RefreshToken): Promise<void> {
    await this.sessions.update({ id: sessionId, generation: generation + 1 }, { generation, rotated_at: null });
  }

  /** Remembers, once a generation, between which networks the exchange that led to it was repeated. */
  async rememberRepeat({ id, generation }: Session, networks: string): Promise<void> {
    await this.sessions.update(
      { id, repeated_generation: LessThan(generation) },
      { repeated_generation: generation, repeated_networks: networks },
    );
  }

  /**
   * @param clientId only if it is a session at this client
   * @returns whether there was such a session and it was alive
   */
  async revoke(id: string, ending = REVOKED, clientId?: string): Promise<boolean> {
    return (await this.end({ id, ...(clientId === undefined ? {} : { client_id: clientId }) }, ending)) === 1;
  }

  /** Ends a user's sessions on one device. @param ending how, for who asks @returns how many were alive */
  revokeDevice(sub: string, deviceId: string, ending = REVOKED): Promise<number> {
    return this.end({ sub, device_id: deviceId }, ending);
  }

  /** Notes that the user of a session has proven once more who they are, for what asks for a recent proof. */
  async prove(id: string, provenAt: number): Promise<void> {
    await this.sessions.update({ id, revoked_at: IsNull() }, { proven_at: provenAt });
    await this.database.flush();
  }

  /**
   * The user of a session has proven once more who they are: it stands on that from now on, and no longer on the sign-in
   * of the browser that it was opened from.
   */
  async reauthenticate(id: string, signIn: Pick<Session, 'authenticated_at' | 'credentials_version'>): Promise<void> {
    await this.sessions.update({ id, revoked_at: IsNull() }, { ...signIn, browser_session_id: null });
    await this.database.flush();
  }

  /** Ends every session of a user but this one. */
  revokeOthers(sub: string, id: string, ending = REVOKED): Promise<number> {
    return this.end({ sub, id: Not(id) }, ending);
  }

  /**
   * Ends every session of a user, of a client, or of a user at a client; not what is under way to become one (see
   * SignOutService).
   * @returns how many were alive
   */
  revokeAll(of: Whose, ending = REVOKED): Promise<number> {
    const { sub, client_id } = rowsOf(of);
    const rows = sub !== undefined && client_id !== undefined ? { sub, client_id: among(client_id) } : rowsOf(of);
    return this.end(rows, ending);
  }

  /** Removes every session of a user or a client. @returns how many were alive */
  removeAll(of: Whose): Promise<number> {
    const alive = { revoked_at: IsNull(), expires_at: MoreThan(this.clock.now()) };
    return this.database.deleteAll(this.sessions, 'id', rowsOf(of), alive);
  }

  /**
   * Ends the sessions with a scope that their client has lost; those that may act on the whole account where it is the
   * operator's own no longer; all where it no longer authenticates, for their refresh tokens were worth nothing without.
   * @returns how many were alive
   */
  async endBeyond(client: Client, before: Client): Promise<number> {
    const { id } = client;
    const ending = endedBy('operator', 'CLIENT_CHANGED');
    if (client.public && !before.public) return this.end({ client_id: id }, ending);
    let ended = 0;
    if (before.first_party && !client.first_party)
      ended += await this.end({ client_id: id, account_access: true }, ending);
    const lost = before.scopes.filter((word) => !client.scopes.includes(word));
    if (lost.length === 0) return ended;
    for (const { scope } of await this.scopes.all([id])) {
      if (!wordsOf(scope).some((word) => lost.includes(word))) continue;
      ended += await this.scopeEnd.run([this.clock.now(), id, scope]);
    }
    await this.database.flush();
    return ended;
  }

  /** Ends every session that was opened from a browser session. @returns how many were alive */
  revokeOpenedFrom(browserSessionId: string, ending = REVOKED): Promise<number> {
    return this.end({ browser_session_id: browserSessionId }, ending);
  }

  /** The session, if it has neither expired nor been revoked, and its user and client may still hold it. */
  async findAlive(id: string): Promise<OpenSession | undefined> {
    const session = await this.findOpen(id);
    if (!session) return undefined;
    const client = (await this.clients.find(session.client_id))?.client;
    if (!client || client.disabled) return undefined;
    const user = await holderOf(this.users, session.sub, { ...session, sessionId: id });
    return user && session;
  }

  async isAlive(id: string): Promise<boolean> {
    return (await this.findAlive(id)) !== undefined;
  }

  /** The session, if it has neither expired nor been revoked; of its user nothing is asked. */
  async findOpen(id: string): Promise<OpenSession | undefined> {
    const [row] = await this.opened.all([id, this.clock.now()]);
    return (
      row && {
        ...row,
        scope: wordsOf(row.scope),
        authenticated_at: Number(row.authenticated_at),
        created_at: Number(row.created_at),
        rotated_at: row.rotated_at === null ? null : Number(row.rotated_at),
        expires_at: Number(row.expires_at),
      }
    );
  }

  /** What the next refresh of an open session may ask for, and by whom. */
  async boundsOf(id: string): Promise<Pick<Session, 'client_id' | 'scope' | 'dpop_jkt'> | undefined> {
    const [row] = await this.bounds.all([id, this.clock.now()]);
    return row && { ...row, scope: wordsOf(row.scope) };
  }

  async find(id: string): Promise<Session | undefined> {
    return (await this.sessions.findOneBy({ id })) ?? undefined;
  }

  /** The sessions of a user that have not expired, newest first. @param page after which session, and how many */
  list(sub: string, { after, limit }: Page<Pick<Session, 'id' | 'created_at'>> = {}): Promise<Session[]> {
    const all = { sub, expires_at: MoreThan(this.clock.now()) };
    const rest = after && [
      { ...all, created_at: LessThan(after.created_at) },
      { ...all, created_at: after.created_at, id: MoreThan(after.id) },
    ];
    return this.sessions.find({ where: rest ?? all, order: { created_at: 'DESC', id: 'ASC' }, take: limit });
  }

  /** The device of a request, where the user has signed in on it before, at the same client. */
  async knownDevice(sub: string, { client, deviceId }: Party): Promise<string | undefined> {
    if (deviceId === undefined) return undefined;
    const known = await this.sessions.existsBy({ sub, device_id: deviceId, client_id: among(client.id) });
    return known ? deviceId : undefined;
  }

  /** The living sessions whose refresh token was derived before. */
  async needOfPrevious(before: number): Promise<SecretNeed> {
    const [row] = await this.old.all([this.clock.now(), before]);
    return { what: 'sessions', count: Number(row!.n), until: row!.last === null ? null : Number(row!.last) };
  }

  /** Removes at most `batch` expired sessions. */
  removeExpired(batch: number): Promise<number> {
    const where = { expires_at: LessThanOrEqual(this.clock.now()) };
    return this.database.deleteSome(this.sessions, 'id', where, batch);
  }

  /** Ends the sessions on the devices that a user signed in on before the newest ones, however many there are. */
  private async limitDevices(sub: string, current: string, ip?: string): Promise<void> {
    const now = this.clock.now();
    await this.deviceLimit.run([now, ip ?? null, current, sub, current, sub, current, now]);
  }

  /** How a session ended is written by whoever is first to end it. */
  private async end(of: FindOptionsWhere<Session>, { reason, by, from, device }: Ending): Promise<number> {
    const { affected } = await this.sessions.update(
      { ...of, revoked_at: IsNull() },
      {
        revoked_at: this.clock.now(),
        end_reason: reason,
        ended_by: by,
        ended_from: from?.slice(0, 64) ?? null,
        ended_by_device: device?.slice(0, 128) ?? null,
      },
    );
    await this.database.flush();
    return affected ?? 0;
  }
}

/** Whether a client, as it is now, may no longer have what a session was opened with when it was known as it was before. */
function hasLost(
  now: Pick<Client, 'scopes' | 'first_party'>,
  before: Client,
  scope: string[],
  accountAccess: boolean,
): boolean {
  if (accountAccess && before.first_party && !now.first_party) return true;
  return scope.some((word) => before.scopes.includes(word) && !now.scopes.includes(word));
}

/**
 * The client of one among a user's sessions. Of two indexes SQLite takes the narrower one, which would be the client's,
 * and has everybody's sessions; an expression keeps it from that.
 */
function among(clientId: string): FindOperator<string> {
  return Raw((column) => `COALESCE(${column}, '') = :clientId`, { clientId }) as FindOperator<string>;
}
