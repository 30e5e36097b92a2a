import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { In, IsNull, LessThanOrEqual, MoreThan } from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Client } from '../clients/client.entity.js';
import { grantScope } from '../clients/scope.js';
import { Clock } from '../../base/clock.js';
import { generateSecret, purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { type Holder, Holds } from '../holdings/holdings.service.js';
import { rowsOf, type Whose } from '../sessions/whose.js';
import { Users, versionOf } from '../users/users.js';
import { DeviceAuthorization } from './device-authorization.entity.js';
import { spelledUserCode } from './user-code.js';

/** RFC 8628 §3.2. */
export interface DeviceAuthorizationResponse {
  device_code: string;
  /** `XXXX-XXXX`, letters and digits without 0, 1, I and O. */
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  /** Seconds. */
  expires_in: number;
  /** Seconds. */
  interval: number;
}

/** RFC 8628 §3.4, and CloudBase's name for it. */
const DEVICE_CODE = ['urn:ietf:params:oauth:grant-type:device_code', 'device_code'];
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
/** RFC 8628 §3.5: how many seconds each slow_down adds to the interval. */
const SLOW_DOWN = 5;
/** How long an expired code is kept, in milliseconds, so that its client is told what happened. */
const KEPT_FOR = 3_600_000;
/** The longest life that a code may have, and that. */
const NEEDED_FOR = 86_400_000 + KEPT_FOR;
const DEVICE_CODE_HASH = purpose('device-code', NEEDED_FOR);
const USER_CODE_HASH = purpose('user-code', NEEDED_FOR);

/** Starts device authorizations (RFC 8628), takes the user's answer and uses them up. */
@Injectable()
@Sweeps()
@Holds('devices')
export class DeviceAuthorizationService implements Holder {
  private readonly rows = this.database.repository(DeviceAuthorization);

  constructor(
    private readonly database: AuthDatabase,
    private readonly users: Users,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Starts an authorization for a client that has authenticated.
   * @param scope space-separated; left out: the client's default scope
   * @throws AuthError permission_denied, invalid_scope
   */
  async start(client: Client, scope?: string): Promise<DeviceAuthorizationResponse> {
    if (!DEVICE_CODE.some((grantType) => client.grant_types.includes(grantType))) {
      throw new AuthError('permission_denied', { reason: 'GRANT_TYPE_NOT_ALLOWED' });
    }
    const deviceCode = generateSecret();
    const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
    const userCode = spelledUserCode(letters);
    await this.rows.insert({
      hash: this.secret.hash(DEVICE_CODE_HASH, deviceCode),
      user_code_hash: this.userCodeHashes(userCode)[0],
      client_id: client.id,
      scope: grantScope(client, scope),
      status: 'pending',
      interval: this.options.deviceCodeInterval,
      expires_at: this.clock.now() + this.options.deviceCodeTtl * 1000,
    });
    return {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: this.options.verificationUri,
      verification_uri_complete: `${this.options.verificationUri}?user_code=${userCode}`,
      expires_in: this.options.deviceCodeTtl,
      interval: this.options.deviceCodeInterval,
    };
  }

  /**
   * What a user code stands for, while it waits for an answer. Who asks first is the one who may answer: a code that
   * somebody else has read off the screen is worth nothing to them any more (RFC 8628 §5.5).
   * @param session of the signed-in user, at most 64 characters
   * @returns undefined where there is no such code, or another session has claimed it
   */
  async claim(userCode: string, session: string): Promise<DeviceAuthorization | undefined> {
    const pending = this.pending(userCode);
    await this.rows.update({ ...pending, claimed_by: IsNull() }, { claimed_by: session });
    return (await this.rows.findOneBy({ ...pending, claimed_by: session })) ?? undefined;
  }

  /** The session is over: what it has claimed and not answered is anybody's again. */
  async release(session: string): Promise<void> {
    await this.rows.update({ claimed_by: session, status: 'pending' }, { claimed_by: null });
  }

  /**
   * The user agrees.
   * @param authenticatedAt when they proved who they are, in milliseconds since the Unix epoch; default: now
   * @param version the user's (User.version) that this was checked against; default: the one of this moment
   * @param session the one that answers, as for claim(); left out: only a code that nobody has claimed
   * @returns false where there is no such code that waits for their answer
   */
  async approve(
    userCode: string,
    sub: string,
    authenticatedAt = this.clock.now(),
    version?: number,
    session?: string,
  ): Promise<boolean> {
    const credentials_version = version ?? versionOf(await this.users.find(sub, { fresh: true }));
    const values = { status: 'approved' as const, sub, authenticated_at: authenticatedAt, credentials_version };
    return this.answer(userCode, values, session);
  }

  /** The user refuses. @returns false where there is no such code that waits for their answer */
  deny(userCode: string, session?: string): Promise<boolean> {
    return this.answer(userCode, { status: 'denied' }, session);
  }

  /** What a user has answered already, so that asking twice is answered alike. Undefined: nothing, as far as they know. */
  async answeredBy(userCode: string, sub: string, session: string): Promise<'approved' | 'denied' | undefined> {
    const row = await this.rows.findOneBy({ user_code_hash: In(this.userCodeHashes(userCode)) });
    if (row?.status === 'denied' && row.claimed_by === session) return 'denied';
    const isTheirs = row !== null && row.sub === sub && ['approved', 'used'].includes(row.status);
    return isTheirs ? 'approved' : undefined;
  }

  /** The authorization of a device code; undefined: not one of ours. */
  async find(deviceCode: string): Promise<DeviceAuthorization | undefined> {
    const hash = In(this.secret.hashes(DEVICE_CODE_HASH, deviceCode));
    return (await this.rows.findOneBy({ hash })) ?? undefined;
  }

  /** Notes a poll. @returns false where it came too early: the interval is longer from now on */
  async poll({ hash, interval }: DeviceAuthorization): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.rows.update(
      [
        { hash, polled_at: IsNull() },
        { hash, polled_at: LessThanOrEqual(now - interval * 1000) },
        { hash, polled_at: MoreThan(now) }, // the clock was set back since
      ],
      { polled_at: now },
    );
    if (affected === 1) return true;
    await this.rows.increment({ hash }, 'interval', SLOW_DOWN);
    await this.rows.update({ hash }, { polled_at: now });
    return false;
  }

  /** Uses an approved code up. Of any number of parallel calls exactly one is told true. */
  async consume({ hash }: DeviceAuthorization): Promise<boolean> {
    const { affected } = await this.rows.update(
      { hash, status: 'approved', expires_at: MoreThan(this.clock.now()) },
      { status: 'used' },
    );
    return affected === 1;
  }

  /** Takes back what was approved and not used yet: for every device of a user, of a client, or of a user at a client. */
  async withdraw(of: Whose): Promise<void> {
    await this.rows.update({ ...rowsOf(of), status: 'approved' }, { status: 'denied' });
    await this.database.flush();
  }

  /** Removes every authorization of a client, or that a user has approved. @returns how many were under way */
  removeAll(of: Whose): Promise<number> {
    const underWay = { status: In(['pending', 'approved']), expires_at: MoreThan(this.clock.now()) };
    return this.database.deleteAll(this.rows, 'hash', rowsOf(of), underWay);
  }

  /** Removes at most `batch` authorizations that are long over. */
  removeExpired(batch: number): Promise<number> {
    const where = { expires_at: LessThanOrEqual(this.clock.now() - KEPT_FOR) };
    return this.database.deleteSome(this.rows, 'hash', where, batch);
  }

  private async answer(userCode: string, values: Partial<DeviceAuthorization>, session?: string): Promise<boolean> {
    const pending = this.pending(userCode);
    const { affected } =
      session === undefined
        ? await this.rows.update({ ...pending, claimed_by: IsNull() }, values)
        : await this.rows.update(
            [
              { ...pending, claimed_by: IsNull() },
              { ...pending, claimed_by: session },
            ],
            { ...values, claimed_by: session },
          );
    await this.database.flush();
    return affected === 1;
  }

  private pending(userCode: string) {
    const user_code_hash = In(this.userCodeHashes(userCode));
    return { user_code_hash, status: 'pending' as const, expires_at: MoreThan(this.clock.now()) };
  }

  private userCodeHashes(userCode: string): string[] {
    return this.secret.hashes(USER_CODE_HASH, spelledUserCode(userCode).replace('-', ''));
  }
}
