import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { IsNull, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { generateSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { isDuplicate } from '../../base/database/faults.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { type Contact, contactOf } from './contact.js';
import { HashingQueue } from './hashing-queue.js';
import { PasswordHasher } from './password-hasher.js';
import { UserRow } from './user.entity.js';
import { toProfile, toUser } from './user-profile.js';
import { isUsername, normalizeUsername } from './username.js';
import { type User, type UserProfile, Users } from './users.js';

/** How old an answer of find() may be that need not be fresh, in milliseconds. */
const CACHED_FOR = 2000;

/** A row as the database returns it: SQLite has no boolean, PostgreSQL's bigint is a string. */
type RawRow = Omit<UserRow, 'groups' | 'disabled' | 'pending' | 'valid_after' | 'created_at' | 'updated_at'> & {
  groups: string;
  disabled: boolean | number;
  pending: boolean | number;
  valid_after: number | string;
  created_at: number | string;
  updated_at: number | string;
};

export interface NewUser {
  username: string;
  password: string;
  email?: string;
  name?: string;
  groups?: string[];
  pending?: boolean;
}

/** What a user may change about themselves. */
export type OwnValues = Partial<Pick<UserRow, 'name' | 'picture' | 'gender' | 'locale' | 'username'>>;

/** The built-in user table. */
@Injectable()
export class UserService extends Users {
  private readonly rows = this.database.repository(UserRow);
  // every sign-in runs these, between two password hashes that have just emptied the caches of the processor
  private readonly byName = this.database.statement<RawRow>(
    'SELECT * FROM auth_user WHERE username = ? OR login_email = ? OR phone_number = ?',
  );
  private readonly bySub = this.database.statement<RawRow>('SELECT * FROM auth_user WHERE id = ?');
  private readonly cache: LRUCache<string, { user: User; until: number }>;
  /** What an unknown user's password is compared with, so that it takes as long as a known one's. */
  private decoy?: Promise<string>;

  constructor(
    private readonly database: AuthDatabase,
    private readonly hasher: PasswordHasher,
    private readonly queue: HashingQueue,
    private readonly clock: Clock,
  ) {
    super();
    this.cache = new LRUCache({ max: 10_000 });
  }

  async verify(username: string, password: string): Promise<User | undefined> {
    const row = await this.identify(username);
    this.decoy ??= this.hasher.hash(generateSecret());
    const stored = row?.password_hash ?? (await this.decoy);
    const matches = await this.queue.run(() => this.hasher.verify(stored, password));
    if (!row?.password_hash || !matches) return undefined;
    if (this.hasher.needsRehash(stored)) await this.rehash(row, password);
    return toUser(row);
  }

  async find(sub: string, { fresh }: { fresh: boolean }): Promise<User | undefined> {
    const cached = fresh ? undefined : this.cache.get(sub);
    if (cached && cached.until > this.clock.now()) return cached.user;
    const [row] = await this.bySub.all([sub]);
    if (!row) return undefined;
    const user = toUser(cooked(row));
    this.cache.set(sub, { user, until: this.clock.now() + CACHED_FOR });
    return user;
  }

  /** @throws Error that says what is wrong with the values, or that the username is taken */
  async create(values: NewUser): Promise<UserRow> {
    const username = normalizeUsername(values.username);
    if (!isUsername(username)) throw new Error('the username is empty, too long or has control characters');
    if (await this.load(username)) throw new Error(`the user ${username} exists already`);
    const password_hash = await this.hash(values.password);
    const { email, name, groups, pending } = values;
    return this.insert({ username, password_hash, email, name, groups, pending });
  }

  override async profile(sub: string): Promise<UserProfile | undefined> {
    const row = await this.rows.findOneBy({ id: sub });
    return row ? toProfile(row) : undefined;
  }

  /** The user who has proven this address or number. */
  async findByContact(contact: Contact): Promise<User | undefined> {
    const row = await this.rows.findOneBy(owns(contact));
    return row ? toUser(row) : undefined;
  }

  /** Whether there is somebody who signs in under this name, address or number; and whether they have a password. */
  async knows(username: string): Promise<{ password: boolean } | undefined> {
    const row = await this.identify(normalizeUsername(username));
    return row && row.anonymous_device === null ? { password: row.password_hash !== null } : undefined;
  }

  /** The anonymous user of a device, made at its first sign-in. @param device keyed hash of the device id */
  async anonymous(device: string): Promise<User> {
    const known = await this.rows.findOneBy({ anonymous_device: device });
    if (known) return toUser(known);
    try {
      return toUser(await this.insert({ anonymous_device: device }));
    } catch (error) {
      // a parallel request was faster
      const made = isDuplicate(error) ? await this.rows.findOneBy({ anonymous_device: device }) : null;
      if (!made) throw error;
      return toUser(made);
    }
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
    try {
      if (anonymous === undefined) return toUser(await this.insert(row));
      const now = this.clock.now();
      const { affected } = await this.rows.update(
        { id: anonymous, anonymous_device: Not(IsNull()) },
        { ...row, anonymous_device: null, valid_after: now, updated_at: now },
      );
      if (affected !== 1) throw new AuthError('invalid_grant', { reason: 'SESSION_REVOKED' });
      this.cache.delete(anonymous);
      await this.database.flush();
      return toUser((await this.rows.findOneBy({ id: anonymous }))!);
    } catch (error) {
      throw isDuplicate(error) ? await this.taken(contact) : error;
    }
  }

  /** @throws AuthError username_already_exists */
  async edit(id: string, values: OwnValues): Promise<void> {
    try {
      await this.update(id, values);
    } catch (error) {
      throw isDuplicate(error) ? await this.taken() : error;
    }
  }

  /** Gives a user the address or number that they have proven. @throws AuthError already_exists */
  async setContact(id: string, contact: Contact): Promise<void> {
    try {
      await this.update(id, proven(contact));
    } catch (error) {
      throw isDuplicate(error) ? await this.taken(contact) : error;
    }
  }

  list(): Promise<UserRow[]> {
    return this.rows.find({ order: { created_at: 'ASC', username: 'ASC' } });
  }

  /** Straight from the database, by username. */
  async load(username: string): Promise<UserRow | undefined> {
    return (await this.rows.findOneBy({ username: normalizeUsername(username) })) ?? undefined;
  }

  /** Disabling ends every sign-in up to now; who calls it revokes the sessions too (SessionService.revokeAll). */
  setDisabled(id: string, disabled: boolean): Promise<void> {
    return this.update(id, disabled ? { disabled, valid_after: this.clock.now() } : { disabled });
  }

  /** Lets a user in who waited for approval, or makes them wait. */
  setPending(id: string, pending: boolean): Promise<void> {
    return this.update(id, pending ? { pending, valid_after: this.clock.now() } : { pending });
  }

  /**
   * Ends every sign-in up to now; who calls it revokes the sessions too (SessionService.revokeAll).
   * @returns the moment from which sign-ins count
   */
  async setPassword(id: string, password: string): Promise<number> {
    const password_hash = await this.hash(password);
    const valid_after = this.clock.now();
    await this.update(id, { password_hash, valid_after });
    return valid_after;
  }

  /** Whether this is the user's password; a user without one has none that could be right. */
  async verifyOwn(sub: string, password: string): Promise<boolean> {
    const stored = (await this.rows.findOneBy({ id: sub }))?.password_hash;
    return !!stored && this.queue.run(() => this.hasher.verify(stored, password));
  }

  /** Who signs in under a normalized username: their name first, else an address or number that they have proven. */
  private async identify(username: string): Promise<UserRow | undefined> {
    const contact = contactOf(username);
    const owned = contact ? owns(contact) : {};
    const { login_email = null, phone_number = null } = owned as Partial<UserRow>;
    const rows = await this.byName.all([username, login_email, phone_number]);
    const row = rows.find((one) => one.username === username) ?? rows[0];
    return row && cooked(row);
  }

  /** @param values what differs from an empty user; without a username, the id stands for it */
  private async insert(values: Partial<UserRow>): Promise<UserRow> {
    const now = this.clock.now();
    const id = randomUUID();
    const empty = { username: id, groups: [], disabled: false, pending: false, valid_after: 0 };
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
    const row = this.rows.create({ ...NOTHING, ...empty, ...given, id, created_at: now, updated_at: now });
    await this.rows.insert(row);
    await this.database.flush();
    return row;
  }

  private async taken(contact?: Contact): Promise<AuthError> {
    if (contact && (await this.findByContact(contact))) {
      return new AuthError('already_exists', { reason: 'CONTACT_TAKEN' });
    }
    return new AuthError('username_already_exists', { reason: 'USERNAME_TAKEN' });
  }

  private hash(password: string): Promise<string> {
    if (password === '') throw new Error('the password is empty');
    return this.queue.run(() => this.hasher.hash(password));
  }

  private async rehash(row: UserRow, password: string): Promise<void> {
    const hash = await this.hash(password);
    // only in place of the very hash that was checked: the password may have been changed meanwhile
    await this.rows.update({ id: row.id, password_hash: row.password_hash! }, { password_hash: hash });
  }

  private async update(id: string, values: Partial<UserRow>): Promise<void> {
    await this.rows.update({ id }, { ...values, updated_at: this.clock.now() });
    this.cache.delete(id);
    await this.database.flush();
  }
}

function cooked(row: RawRow): UserRow {
  return {
    ...row,
    groups: JSON.parse(row.groups) as string[],
    disabled: Boolean(row.disabled),
    pending: Boolean(row.pending),
    valid_after: Number(row.valid_after),
    created_at: Number(row.created_at),
    updated_at: Number(row.updated_at),
  };
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
} satisfies Partial<UserRow>;

function owns({ channel, value }: Contact): { login_email: string } | { phone_number: string } {
  return channel === 'email' ? { login_email: value } : { phone_number: value };
}

function proven({ channel, value }: Contact): Partial<UserRow> {
  return channel === 'email' ? { email: value, login_email: value } : { phone_number: value };
}
