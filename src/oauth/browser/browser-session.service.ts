import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { And, In, LessThanOrEqual, MoreThan } from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { AuthorizationCodeService } from '../../core/codes/authorization-code.service.js';
import { Clock } from '../../base/clock.js';
import { NeedsSecret, type SecretNeed } from '../../base/crypto/secret-need.js';
import { generateSecret, purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';
import { type Holder, Holds } from '../../core/holdings/holdings.service.js';
import { endedBy, outdated, REVOKED } from '../../core/sessions/ending.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { KeepsSignedIn } from '../../core/holdings/keeps-signed-in.js';
import { rowsOf, type Whose } from '../../core/sessions/whose.js';
import { holds, Users } from '../../core/users/users.js';
import { BrowserSession } from './browser-session.entity.js';

const COOKIE = purpose('browser-session');

/** Who signs in with a browser. */
export type NewBrowserSession = Pick<BrowserSession, 'sub' | 'username' | 'authenticated_at' | 'credentials_version'>;

/** How coarse `used_at` is, in milliseconds, so that not every page writes. */
const TOUCHED_EVERY = 60_000;

/** Keeps the browsers that users are signed in with. What is ended here takes its codes and sessions with it. */
@Injectable()
@Sweeps()
@KeepsSignedIn()
@NeedsSecret()
@Holds('browsers')
export class BrowserSessionService implements Holder {
  private readonly rows = this.database.repository(BrowserSession);

  constructor(
    private readonly database: AuthDatabase,
    private readonly users: Users,
    private readonly codes: AuthorizationCodeService,
    private readonly devices: DeviceAuthorizationService,
    private readonly sessions: SessionService,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** The living session of a cookie; one whose user may no longer hold it ends here. */
  async find(cookie: string): Promise<BrowserSession | undefined> {
    const now = this.clock.now();
    const used_at = MoreThan(now - this.options.browserSessionIdleTtl * 1000);
    const hashes = this.secret.hashes(COOKIE, cookie);
    const row = await this.rows.findOneBy({ hash: In(hashes), expires_at: MoreThan(now), used_at });
    if (!row) return undefined;
    const user = await this.users.find(row.sub, { fresh: true });
    if (!user || !holds(user, row)) {
      await this.end(row.id, outdated(user));
      return undefined;
    }
    // not flushed: a power cut that takes this only brings the idle limit nearer
    if (now - row.used_at >= TOUCHED_EVERY || row.hash !== hashes[0]) {
      // only in place of the hash that was found: the browser may have got another cookie meanwhile
      await this.rows.update({ id: row.id, hash: row.hash }, { used_at: now, hash: hashes[0] });
    }
    return row;
  }

  /**
   * Signs a browser in under a new cookie. The same user again goes on with the session that there was; another one
   * signs the former out.
   * @returns the cookie, 43 characters, this once
   */
  async open(who: NewBrowserSession, before?: BrowserSession): Promise<string> {
    const cookie = generateSecret();
    const now = this.clock.now();
    const values = {
      ...who,
      hash: this.secret.hash(COOKIE, cookie),
      used_at: now,
      expires_at: now + this.options.browserSessionTtl * 1000,
    };
    if (!before || before.sub !== who.sub || !(await this.renew(before, values))) {
      if (before) await this.end(before.id, endedBy('user', 'SIGNED_OUT')); // another one signs in
      await this.rows.insert({ id: randomBytes(16).toString('base64url'), ...values });
    }
    await this.database.flush();
    return cookie;
  }

  /** Whether the session has not been ended meanwhile. */
  isThere(id: string): Promise<boolean> {
    return this.rows.existsBy({ id });
  }

  /** Signs a browser out, and ends what was opened from it. */
  async end(id: string, ending = REVOKED): Promise<void> {
    // in this order: a code that wins against its expiry has its session in the table already, to be revoked
    await this.rows.delete({ id });
    await this.codes.expireIssuedFrom(id);
    await this.devices.release(id);
    await this.sessions.revokeOpenedFrom(id, ending);
    await this.database.flush();
  }

  /** Signs a user out of every browser. @returns how many there were */
  async endAll(sub: string, ending = REVOKED): Promise<number> {
    const rows = await this.rows.find({ select: { id: true }, where: { sub } });
    for (const { id } of rows) await this.end(id, ending);
    return rows.length;
  }

  /** Signs a user who goes out of every browser; a client has none. @returns how many there were */
  async removeAll(of: Whose): Promise<number> {
    const { sub, client_id } = rowsOf(of);
    return sub === undefined || client_id !== undefined ? 0 : this.endAll(sub);
  }

  /** Those that nobody has used since. */
  async needOfPrevious(before: number): Promise<SecretNeed> {
    const now = this.clock.now();
    const idle = now - this.options.browserSessionIdleTtl * 1000;
    const where = { expires_at: MoreThan(now), used_at: And(MoreThan(idle), LessThanOrEqual(before)) };
    const [last] = await this.rows.find({ where, order: { expires_at: 'DESC' }, take: 1 });
    return { what: 'browsers signed in', count: await this.rows.countBy(where), until: last?.expires_at ?? null };
  }

  /** Removes at most `batch` expired sessions. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.rows, 'id', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }

  /** Of two at once (a double click) the later cookie is good; neither ends what the browser has opened. */
  private async renew({ id, sub }: BrowserSession, values: Partial<BrowserSession>): Promise<boolean> {
    const { affected } = await this.rows.update({ id, sub }, values);
    return affected === 1;
  }
}
