import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { IsNull, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { isDuplicate } from '../../base/database/faults.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { type Contact, ownedBy, proven } from './contact.js';
import { HashingQueue } from './hashing-queue.js';
import { PasswordHasher } from './password-hasher.js';
import { UserCache } from './user-cache.js';
import { UserRow } from './user.entity.js';
import { toUser } from './user-profile.js';
import { isUsername, normalizeUsername } from './username.js';
import type { User } from './users.js';

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

/** Looks after the users of the built-in table: the one that writes it. UserDirectory finds them. */
@Injectable()
export class UserService {
  private readonly rows = this.database.repository(UserRow);

  constructor(
    private readonly database: AuthDatabase,
    private readonly hasher: PasswordHasher,
    private readonly queue: HashingQueue,
    private readonly cache: UserCache,
    private readonly clock: Clock,
  ) {}

  /** @throws Error that says what is wrong with the values, or that the username is taken */
  async create(values: NewUser): Promise<UserRow> {
    const username = normalizeUsername(values.username);
    if (!isUsername(username)) throw new Error('the username is empty, too long or has control characters');
    if (await this.load(username)) throw new Error(`the user ${username} exists already`);
    const password_hash = await this.hash(values.password);
    const { email, name, groups, pending } = values;
    return this.insert({ username, password_hash, email, name, groups, pending });
  }

  /** A new anonymous user. @param device keyed hash of the device id */
  async anonymous(device: string): Promise<User> {
    return toUser(await this.insert({ anonymous_device: device }));
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

  /** @throws AuthError username_already_exists */
  edit(id: string, values: OwnValues): Promise<void> {
    return this.update(id, values).catch((error: unknown) => this.refuse(error));
  }

  /** Gives a user the address or number that they have proven. @throws AuthError already_exists */
  setContact(id: string, contact: Contact): Promise<void> {
    return this.update(id, proven(contact)).catch((error: unknown) => this.refuse(error, contact));
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
      { ...values, anonymous_device: null, valid_after: now, updated_at: now },
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
    const empty = { username: id, groups: [], disabled: false, pending: false, valid_after: 0 };
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
    throw new AuthError('username_already_exists', { reason: 'USERNAME_TAKEN' });
  }

  private hash(password: string): Promise<string> {
    if (password === '') throw new Error('the password is empty');
    return this.queue.run(() => this.hasher.hash(password));
  }

  private async update(id: string, values: Partial<UserRow>): Promise<void> {
    await this.rows.update({ id }, { ...values, updated_at: this.clock.now() });
    this.cache.forget(id);
    await this.database.flush();
  }
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
