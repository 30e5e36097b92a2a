import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type FindOptionsWhere, IsNull, Not, type QueryDeepPartialEntity, MoreThan } from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import type { Page } from '../../base/database/page.js';
import { isDuplicate } from '../../base/database/faults.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { type Ended, Holdings } from '../holdings/holdings.service.js';
import { type Contact, ownedBy, proven } from './contact.js';
import { HashingQueue } from './hashing-queue.js';
import { PasswordHasher } from './password-hasher.js';
import { normalizePassword } from './password.js';
import { UserCache } from './user-cache.js';
import { UserRow } from './user.entity.js';
import { toUser } from './user-profile.js';
import { checkedUsername, columnsOf, type UserChanges } from './user-changes.js';
import { normalizeUsername } from './username.js';
import type { User } from './users.js';

export interface NewUser {
  username: string;
  password: string;
  email?: string;
  /** Whether they sign in by it. Default: no. */
  emailVerified?: boolean;
  name?: string;
  groups?: string[];
  pending?: boolean;
}

/** What a user may change about themselves. */
export type OwnValues = Partial<Pick<UserRow, 'name' | 'picture' | 'gender' | 'locale' | 'username'>>;

/** An anonymous user whom nobody has been for a long time, and who has no session left. */
const UNUSED =
  'anonymous_seen_at <= ? AND NOT EXISTS (SELECT 1 FROM auth_session WHERE auth_session.sub = auth_user.id)';

/** Looks after the users of the built-in table: the one that writes it. UserDirectory finds them. */
@Injectable()
@Sweeps()
export class UserService {
  private readonly rows = this.database.repository(UserRow);
  private readonly unused = this.database.statement<Pick<UserRow, 'id'>>(
    `SELECT id FROM auth_user WHERE ${UNUSED} LIMIT 200`,
  );
  private readonly removeUnused = this.database.statement(`DELETE FROM auth_user WHERE ${UNUSED} AND id = ?`);

  constructor(
    private readonly database: AuthDatabase,
    private readonly hasher: PasswordHasher,
    private readonly queue: HashingQueue,
    private readonly cache: UserCache,
    private readonly holdings: Holdings,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** @throws AuthError invalid_argument that names the field, username_already_exists */
  async create({ password, pending, ...values }: NewUser): Promise<UserRow> {
    const columns = columnsOf(values, { email: null, login_email: null });
    const username = checkedUsername(values.username);
    if (await this.load(username)) throw usernameTaken(); // before a hash is made for nothing
    const password_hash = await this.hash(password);
    return this.insert({ ...columns, password_hash, pending }).catch((error: unknown) => this.refuse(error));
  }

  /** A new anonymous user. @param device keyed hash of the device id */
  async anonymous(device: string): Promise<User> {
    const anonymous_seen_at = this.clock.now(); // from here on the sweep leaves them alone
    return toUser(await this.insert({ anonymous_device: device, anonymous_seen_at }));
  }

  /** An anonymous user who comes back; undefined: there is none of that `sub` any more. */
  async anonymousAgain(sub: string): Promise<User | undefined> {
    const anonymous = { id: sub, anonymous_device: Not(IsNull()) };
    // first of all, and in one statement: from here on the sweep leaves them alone
    const { affected } = await this.rows.update(anonymous, { anonymous_seen_at: this.clock.now() });
    const row = affected === 1 ? await this.rows.findOneBy({ id: sub }) : null;
    return row ? toUser(row) : undefined;
  }

  /**
   * Signs a new user up who has proven a contact.
   * @param anonymous the `sub` of an anonymous user who becomes this one; every sign-in of theirs ends
   * @throws AuthError username_already_exists, already_exists
   */
  async signUp(contact: Contact, values: OwnValues & { password?: string }, anonymous?: string): Promise<User> {
    const { password, ...own } = values;
    const password_hash = password === undefined ? null : await this.hash(password);
    const row = { ...own, ...proven(contact), password_hash };
    const signedUp = anonymous === undefined ? this.insert(row) : this.adopt(anonymous, row);
    return toUser(await signedUp.catch((error: unknown) => this.refuse(error, contact)));
  }

  /**
   * Changes what an operator says about a user, by `sub`. Nothing ends: tokens tell it from their next refresh on, and
   * userinfo within two seconds.
   * @throws AuthError not_found; invalid_argument that names the field; username_already_exists, already_exists
   */
  async update(id: string, changes: UserChanges): Promise<UserRow> {
    const before = await this.rows.findOneBy({ id });
    if (!before) throw unknownUser();
    const columns = columnsOf(changes, before);
    // what is said of an address is said of the one that was read
    const where = columns.login_email && changes.email === undefined ? { email: before.email! } : {};
    const { login_email } = columns;
    const contact: Contact | undefined = login_email ? { channel: 'email', value: login_email } : undefined;
    if (await this.write(id, columns, where).catch((error: unknown) => this.refuse(error, contact))) {
      return { ...before, ...columns, updated_at: this.clock.now() };
    }
    return this.update(id, changes); // it has changed since, or is gone
  }

  /**
   * Removes a user, by `sub`, with all that is kept of them, in small batches; they are disabled first, so that nothing
   * new is opened meanwhile. Cut off half-way, they stay disabled, and another call does the rest.
   * @returns how much ended
   * @throws AuthError not_found
   */
  async delete(id: string): Promise<Ended> {
    await this.change(id, { disabled: true, ...this.nextVersion() });
    const ended = await this.holdings.removeAll({ sub: id });
    await this.rows.delete({ id });
    this.cache.forget(id);
    await this.database.flush();
    return ended;
  }

  /** @throws AuthError username_already_exists */
  async edit(id: string, values: OwnValues): Promise<void> {
    await this.write(id, values).catch((error: unknown) => this.refuse(error));
  }

  /** Gives a user the address or number that they have proven. @throws AuthError already_exists */
  async setContact(id: string, contact: Contact): Promise<void> {
    await this.write(id, proven(contact)).catch((error: unknown) => this.refuse(error, contact));
  }

  /** By username. @param page after which username, and how many */
  list({ after, limit }: Page = {}): Promise<UserRow[]> {
    const where = after === undefined ? {} : { username: MoreThan(normalizeUsername(after)) };
    return this.rows.find({ where, order: { username: 'ASC' }, take: limit });
  }

  /** Straight from the database, by username. */
  async load(username: string): Promise<UserRow | undefined> {
    return (await this.rows.findOneBy({ username: normalizeUsername(username) })) ?? undefined;
  }

  /**
   * Disabling ends every sign-in up to now; who calls it ends what they opened, too (SignOutService.end).
   * @throws AuthError not_found
   */
  async setDisabled(id: string, disabled: boolean): Promise<void> {
    await this.change(id, disabled ? { disabled, ...this.nextVersion() } : { disabled });
  }

  /**
   * Lets a user in who waited for approval, or makes them wait, which ends every sign-in up to now.
   * @throws AuthError not_found
   */
  async setPending(id: string, pending: boolean): Promise<void> {
    await this.change(id, pending ? { pending, ...this.nextVersion() } : { pending });
  }

  /**
   * Ends every sign-in up to now; who calls it ends what they opened, too (SignOutService.end).
   * @throws AuthError not_found, invalid_argument
   */
  async setPassword(id: string, password: string): Promise<void> {
    await this.change(id, { password_hash: await this.hash(password), ...this.nextVersion() });
  }

  /**
   * The same for a user who has proven who they are, from a session that goes on.
   * @param version the one that the proof was checked against
   * @returns the one that counts from now on; undefined: the proof no longer holds, and nothing has changed
   */
  async changePassword(id: string, password: string, version: number, sessionId: string): Promise<number | undefined> {
    const password_hash = await this.hash(password);
    const values = { password_hash, ...this.nextVersion(), kept_session_id: sessionId };
    const changed = await this.write(id, values, { credentials_version: version });
    return changed ? version + 1 : undefined;
  }

  /** Ends every sign-in up to now, also those under way (SignOutService.everywhere). */
  async endSignIns(id: string): Promise<void> {
    await this.write(id, this.nextVersion());
  }

  /** Removes at most `batch` anonymous users whom nobody has been for a long time, and who have no session left. */
  async removeExpired(batch: number): Promise<number> {
    if (this.options.anonymousUserTtl === 0) return 0;
    const seen = this.clock.now() - this.options.anonymousUserTtl * 1000;
    const found = await this.unused.all([seen]);
    let removed = 0;
    // the condition once more, in the statement that deletes: one of them may be signing in
    for (const { id } of found.slice(0, batch)) removed += await this.removeUnused.run([seen, id]);
    return removed;
  }

  /** Hashes a password again that is the right one, where its hash was made with other parameters than today's. */
  async rehash({ id, password_hash }: UserRow, password: string): Promise<void> {
    const hash = await this.hash(password);
    // only in place of the very hash that was checked: the password may have been changed meanwhile
    await this.rows.update({ id, password_hash: password_hash! }, { password_hash: hash });
  }

  /** Gives an anonymous user a name, once. */
  private async adopt(id: string, values: Partial<UserRow>): Promise<UserRow> {
    const now = this.clock.now();
    const { affected } = await this.rows.update(
      { id, anonymous_device: Not(IsNull()) },
      { ...values, anonymous_device: null, anonymous_seen_at: null, ...this.nextVersion(), updated_at: now },
    );
    if (affected !== 1) throw new AuthError('invalid_grant', { reason: 'SESSION_REVOKED' });
    this.cache.forget(id);
    await this.database.flush();
    return (await this.rows.findOneBy({ id }))!;
  }

  /** @param values what differs from an empty user; without a username, the id stands for it */
  private async insert(values: Partial<UserRow>): Promise<UserRow> {
    const now = this.clock.now();
    const id = randomUUID();
    const empty = { username: id, groups: [], disabled: false, pending: false, credentials_version: 0, valid_after: 0 };
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
    const row = this.rows.create({ ...NOTHING, ...empty, ...given, id, created_at: now, updated_at: now });
    await this.rows.insert(row);
    await this.database.flush();
    return row;
  }

  /** Says what a write failed for. */
  private async refuse(error: unknown, contact?: Contact): Promise<never> {
    if (!isDuplicate(error)) throw error;
    if (contact && (await this.rows.existsBy(ownedBy(contact)))) {
      throw new AuthError('already_exists', { reason: 'CONTACT_TAKEN' });
    }
    throw usernameTaken();
  }

  private hash(password: string): Promise<string> {
    if (password === '') throw badField('password', 'PARAMETER_INVALID', 'is empty');
    return this.queue.run(() => this.hasher.hash(normalizePassword(password)));
  }

  /** What ends every sign-in that was checked against the version before; belongs into the UPDATE of the change. */
  private nextVersion() {
    return {
      credentials_version: () => 'credentials_version + 1',
      kept_session_id: null,
      valid_after: this.clock.now(),
    };
  }

  private async change(id: string, values: QueryDeepPartialEntity<UserRow>): Promise<void> {
    if (!(await this.write(id, values))) throw unknownUser();
  }

  /** @returns whether there is such a user, of whom that holds */
  private async write(
    id: string,
    values: QueryDeepPartialEntity<UserRow>,
    where: FindOptionsWhere<UserRow> = {},
  ): Promise<boolean> {
    const { affected } = await this.rows.update({ id, ...where }, { ...values, updated_at: this.clock.now() });
    this.cache.forget(id);
    await this.database.flush();
    return affected === 1;
  }
}

function unknownUser(): AuthError {
  return new AuthError('not_found', { reason: 'USER_UNKNOWN' });
}

function usernameTaken(): AuthError {
  return new AuthError('username_already_exists', { reason: 'USERNAME_TAKEN' });
}

const NOTHING = {
  password_hash: null,
  email: null,
  login_email: null,
  phone_number: null,
  name: null,
  picture: null,
  gender: null,
  locale: null,
  anonymous_device: null,
  anonymous_seen_at: null,
  kept_session_id: null,
} satisfies Partial<UserRow>;
