import { randomBytes, randomInt } from 'node:crypto';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { IsNull, LessThan, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { generateSecret, purpose, sameHash, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { isDuplicate } from '../../base/database/faults.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Contact } from '../../core/users/contact.js';
import { type ContactNotice, type VerificationMessage, VerificationSender } from './verification-sender.js';
import { Verification } from './verification.entity.js';

const TOKEN = purpose('verification-token');
const TARGET = purpose('verification-target');
const CODE = purpose('verification-code');

/** Life of a code, and then of the token it is exchanged for, in seconds. */
export const VERIFICATION_TTL = 600;
/** Wrong guesses that a code survives. */
const TRIES = 5;
/** Least milliseconds between two codes for one target. */
const PAUSE = 60_000;
/** Codes that one target is sent in a day: 50 guesses at a six-digit number. */
const SENDS_PER_DAY = 10;
const DAY = 86_400_000;

/** Sends codes to e-mail addresses and phone numbers, and takes them back as proof that somebody owns one. */
@Injectable()
@Sweeps()
export class VerificationService implements OnModuleDestroy {
  private readonly rows = this.database.repository(Verification);
  private readonly logger = new Logger('Verification');
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly sender: VerificationSender,
    private readonly clock: Clock,
  ) {}

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.underWay);
  }

  /**
   * Sends a code.
   * @param options.deliver false: the answer is the same, and nothing is sent
   * @param options.sub the signed-in user who asks
   * @returns the verification_id
   * @throws AuthError resource_exhausted, permission_denied
   */
  async start(
    to: Contact,
    options: { deliver: boolean; sub?: string; language: VerificationMessage['language'] },
  ): Promise<string> {
    if (!this.sender.delivers(to.channel)) {
      throw new AuthError('permission_denied', { reason: 'VERIFICATION_CHANNEL_OFF' });
    }
    const id = randomBytes(16).toString('base64url');
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    await this.claim(this.targetOf(to), {
      id,
      sub: options.sub ?? null,
      code_hash: this.codeHash(id, code),
      tries_left: TRIES,
      token_hash: null,
      expires_at: this.clock.now() + VERIFICATION_TTL * 1000,
    });
    if (options.deliver) this.deliver({ to, code, expiresIn: VERIFICATION_TTL, language: options.language });
    return id;
  }

  /**
   * Exchanges a code for a verification token, once.
   * @throws AuthError invalid_verification_code, and after five of those the code is dead
   */
  async verify(id: string, code: string): Promise<string> {
    const now = this.clock.now();
    const living = { id, token_hash: IsNull(), expires_at: MoreThan(now) };
    // the try is spent before the code is looked at, so parallel guesses cannot share one
    const { affected: tries } = await this.rows.update(
      { ...living, tries_left: MoreThan(0) },
      { tries_left: () => 'tries_left - 1' },
    );
    const row = tries === 1 ? await this.rows.findOneBy({ id }) : null;
    const token = generateSecret();
    if (row && sameHash(row.code_hash, this.codeHash(id, code))) {
      const { affected } = await this.rows.update(living, {
        token_hash: this.secret.hash(TOKEN, token),
        expires_at: now + VERIFICATION_TTL * 1000,
      });
      await this.database.flush();
      if (affected === 1) return token;
    }
    throw new AuthError('invalid_verification_code', { reason: 'VERIFICATION_CODE_INVALID' });
  }

  /** Whether a verification token would be taken; uses nothing up. */
  holds(target: Contact, token: string): Promise<boolean> {
    const token_hash = this.secret.hash(TOKEN, token);
    return this.rows.existsBy({ target: this.targetOf(target), token_hash, expires_at: MoreThan(this.clock.now()) });
  }

  /** Uses a verification token up. Of any number of parallel calls exactly one is told true. */
  consume(target: Contact, token: string): Promise<boolean> {
    return this.useUp({ target: this.targetOf(target), token_hash: this.secret.hash(TOKEN, token) });
  }

  /** The same for a code that this user asked for and has verified, where a client did not keep the token. */
  consumeOwn(target: Contact, sub: string): Promise<boolean> {
    return this.useUp({ target: this.targetOf(target), sub, token_hash: Not(IsNull()) });
  }

  /** Tells a former address or number what became of it. Nobody waits for it. */
  notify(notice: ContactNotice): void {
    this.track(async () => this.sender.notify(notice), 'a notice was not sent');
  }

  /** Removes at most `batch` rows that neither prove nor limit anything any more. */
  removeExpired(batch: number): Promise<number> {
    const where = { day_began_at: LessThanOrEqual(this.clock.now() - 2 * DAY) };
    return this.database.deleteSome(this.rows, 'target', where, batch);
  }

  /** One code a minute and ten a day: whoever's statement changes a row may send. */
  private async claim(target: string, values: Partial<Verification>): Promise<void> {
    const now = this.clock.now();
    const rested = LessThanOrEqual(now - PAUSE);
    const dayIsOver = LessThanOrEqual(now - DAY);
    const next = { ...values, sent_at: now };
    const newDay = await this.rows.update(
      { target, sent_at: rested, day_began_at: dayIsOver },
      { ...next, sends: 1, day_began_at: now },
    );
    const sameDay = await this.rows.update(
      { target, sent_at: rested, day_began_at: Not(dayIsOver), sends: LessThan(SENDS_PER_DAY) },
      { ...next, sends: () => 'sends + 1' },
    );
    if (newDay.affected === 1 || sameDay.affected === 1) return this.database.flush();
    try {
      await this.rows.insert({ ...(next as Verification), target, sends: 1, day_began_at: now });
    } catch (error) {
      throw isDuplicate(error) ? await this.tooSoon(target) : error;
    }
    await this.database.flush();
  }

  private async tooSoon(target: string): Promise<AuthError> {
    const row = await this.rows.findOneBy({ target });
    const now = this.clock.now();
    const rest = (row?.sent_at ?? now) + PAUSE - now;
    const ms = rest > 0 ? rest : (row?.day_began_at ?? now) + DAY - now;
    const retryAfter = Math.max(1, Math.ceil(ms / 1000));
    return new AuthError('resource_exhausted', { reason: 'LIMIT_VERIFICATION', retryAfter });
  }

  private async useUp(of: object): Promise<boolean> {
    const { affected } = await this.rows.update(
      { ...of, expires_at: MoreThan(this.clock.now()) },
      { token_hash: null, tries_left: 0, expires_at: 0 },
    );
    await this.database.flush();
    return affected === 1;
  }

  private deliver(message: VerificationMessage): void {
    this.track(() => this.sender.send(message), 'a verification code was not sent');
  }

  private track(send: () => Promise<void>, failure: string): void {
    const sending = send()
      .catch((error: unknown) => this.logger.error({ msg: failure, error: String(error) }))
      .finally(() => this.underWay.delete(sending));
    this.underWay.add(sending);
  }

  private targetOf({ channel, value }: Contact): string {
    return this.secret.hash(TARGET, `${channel}:${value}`);
  }

  private codeHash(id: string, code: string): string {
    return this.secret.hash(CODE, `${id}:${code}`);
  }
}
