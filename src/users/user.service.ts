import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../clock.js';
import { generateSecret } from '../crypto/service-secret.js';
import { AuthDatabase } from '../database/auth-database.js';
import { HashingQueue } from './hashing-queue.js';
import { PasswordHasher } from './password-hasher.js';
import { UserRow } from './user.entity.js';
import { isUsername, normalizeUsername } from './username.js';
import { type User, Users } from './users.js';

/** How old an answer of find() may be that need not be fresh, in milliseconds. */
const CACHED_FOR = 2000;

/** What a sign-in reads of a user, as the database returns it: SQLite has no boolean, PostgreSQL's bigint is a string. */
interface SignInRow {
  id: string;
  password_hash: string | null;
  groups: string;
  disabled: boolean | number;
  valid_after: number | string;
  username: string;
  name: string | null;
  email: string | null;
}

const SIGN_IN_ROW = 'SELECT id, password_hash, "groups", disabled, valid_after, username, name, email FROM auth_user';

export interface NewUser {
  username: string;
  password: string;
  email?: string;
  name?: string;
  groups?: string[];
}

/** The built-in user table. */
@Injectable()
export class UserService extends Users {
  private readonly rows = this.database.repository(UserRow);
  private readonly byUsername = this.database.statement<SignInRow>(`${SIGN_IN_ROW} WHERE username = ?`);
  private readonly bySub = this.database.statement<SignInRow>(`${SIGN_IN_ROW} WHERE id = ?`);
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
    const [row] = await this.byUsername.all([username]);
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
    const user = toUser(row);
    this.cache.set(sub, { user, until: this.clock.now() + CACHED_FOR });
    return user;
  }

  /** @throws Error that says what is wrong with the values, or that the username is taken */
  async create(values: NewUser): Promise<UserRow> {
    const username = normalizeUsername(values.username);
    if (!isUsername(username)) throw new Error('the username is empty, too long or has control characters');
    if (await this.load(username)) throw new Error(`the user ${username} exists already`);
    const now = this.clock.now();
    const row = this.rows.create({
      id: randomUUID(),
      username,
      password_hash: await this.hash(values.password),
      email: values.email ?? null,
      name: values.name ?? null,
      groups: values.groups ?? [],
      disabled: false,
      valid_after: 0,
      created_at: now,
      updated_at: now,
    });
    await this.rows.insert(row);
    await this.database.flush();
    return row;
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

  /** Ends every sign-in up to now; who calls it revokes the sessions too (SessionService.revokeAll). */
  async setPassword(id: string, password: string): Promise<void> {
    await this.update(id, { password_hash: await this.hash(password), valid_after: this.clock.now() });
  }

  private hash(password: string): Promise<string> {
    if (password === '') throw new Error('the password is empty');
    return this.queue.run(() => this.hasher.hash(password));
  }

  private async rehash(row: SignInRow, password: string): Promise<void> {
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

function toUser(row: SignInRow): User {
  return {
    sub: row.id,
    groups: JSON.parse(row.groups) as string[],
    disabled: Boolean(row.disabled),
    validAfter: Number(row.valid_after),
    claims: {
      preferred_username: row.username,
      ...(row.name === null ? {} : { name: row.name }),
      ...(row.email === null ? {} : { email: row.email }),
    },
  };
}
