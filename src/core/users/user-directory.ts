import { Injectable } from '@nestjs/common';
import { generateSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { type Contact, contactOf, ownedBy } from './contact.js';
import { HashingQueue } from './hashing-queue.js';
import { PasswordHasher } from './password-hasher.js';
import { normalizePassword } from './password.js';
import { UserCache } from './user-cache.js';
import { UserRow } from './user.entity.js';
import { toProfile, toUser } from './user-profile.js';
import { UserService } from './user.service.js';
import { normalizeUsername } from './username.js';
import { type User, type UserProfile, Users } from './users.js';

/** A row as the database returns it: SQLite has no boolean, PostgreSQL's bigint is a string. */
type RawRow = Omit<
  UserRow,
  'groups' | 'disabled' | 'pending' | 'valid_after' | 'anonymous_seen_at' | 'created_at' | 'updated_at'
> & {
  groups: string;
  disabled: boolean | number;
  pending: boolean | number;
  valid_after: number | string;
  anonymous_seen_at: number | string | null;
  created_at: number | string;
  updated_at: number | string;
};

/** The built-in user table, as those see it who sign somebody in: finds users and checks their passwords. */
@Injectable()
export class UserDirectory extends Users {
  private readonly rows = this.database.repository(UserRow);
  // every sign-in runs these, between two password hashes that have just emptied the caches of the processor
  private readonly byName = this.database.statement<RawRow>(
    'SELECT * FROM auth_user WHERE username = ? OR login_email = ? OR phone_number = ?',
  );
  private readonly bySub = this.database.statement<RawRow>('SELECT * FROM auth_user WHERE id = ?');
  /** What an unknown user's password is compared with, so that it takes as long as a known one's. */
  private decoy?: Promise<string>;

  constructor(
    private readonly database: AuthDatabase,
    private readonly accounts: UserService,
    private readonly cache: UserCache,
    private readonly hasher: PasswordHasher,
    private readonly queue: HashingQueue,
  ) {
    super();
  }

  async verify(username: string, password: string): Promise<User | undefined> {
    const row = await this.identify(username);
    return (await this.check(row, password)) ? toUser(row!) : undefined;
  }

  /** Whether this is the user's password; a user without one has none that could be right. */
  async verifyOwn(sub: string, password: string): Promise<boolean> {
    return this.check((await this.rows.findOneBy({ id: sub })) ?? undefined, password);
  }

  override async subOf(username: string): Promise<string | undefined> {
    return (await this.identify(username))?.id;
  }

  async find(sub: string, { fresh }: { fresh: boolean }): Promise<User | undefined> {
    const cached = fresh ? undefined : this.cache.get(sub);
    if (cached) return cached;
    const [row] = await this.bySub.all([sub]);
    return row && this.cache.keep(toUser(cooked(row)));
  }

  override async profile(sub: string): Promise<UserProfile | undefined> {
    const row = await this.rows.findOneBy({ id: sub });
    return row ? toProfile(row) : undefined;
  }

  /** The user who has proven this address or number. */
  async findByContact(contact: Contact): Promise<User | undefined> {
    const row = await this.rows.findOneBy(ownedBy(contact));
    return row ? toUser(row) : undefined;
  }

  /** Whether there is somebody who signs in under this name, address or number; and whether they have a password. */
  async knows(username: string): Promise<{ password: boolean } | undefined> {
    const row = await this.identify(normalizeUsername(username));
    return row && row.anonymous_device === null ? { password: row.password_hash !== null } : undefined;
  }

  /** Takes the same time whether there is such a user, or one with a password. */
  private async check(row: UserRow | undefined, password: string): Promise<boolean> {
    this.decoy ??= this.hasher.hash(generateSecret());
    const stored = row?.password_hash ?? (await this.decoy);
    const form = await this.queue.run(() => this.formOf(stored, password));
    if (!row?.password_hash || form === undefined) return false;
    if (form !== normalizePassword(password) || this.hasher.needsRehash(stored)) {
      await this.accounts.rehash(row, password);
    }
    return true;
  }

  /** The form of a password that a hash is of: older ones are of what was typed. @returns undefined where it is wrong */
  private async formOf(stored: string, password: string): Promise<string | undefined> {
    for (const form of new Set([normalizePassword(password), password])) {
      if (await this.hasher.verify(stored, form)) return form;
    }
    return undefined;
  }

  /** Who signs in under a normalized username: their name first, else an address or number that they have proven. */
  private async identify(username: string): Promise<UserRow | undefined> {
    const contact = contactOf(username);
    const owned = contact ? ownedBy(contact) : {};
    const { login_email = null, phone_number = null } = owned as Partial<UserRow>;
    const rows = await this.byName.all([username, login_email, phone_number]);
    const row = rows.find((one) => one.username === username) ?? rows[0];
    return row && cooked(row);
  }
}

function cooked(row: RawRow): UserRow {
  return {
    ...row,
    groups: JSON.parse(row.groups) as string[],
    disabled: Boolean(row.disabled),
    pending: Boolean(row.pending),
    valid_after: Number(row.valid_after),
    anonymous_seen_at: row.anonymous_seen_at === null ? null : Number(row.anonymous_seen_at),
    created_at: Number(row.created_at),
    updated_at: Number(row.updated_at),
  };
}
