import { randomBytes, randomInt } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { type FindOptionsWhere, In, IsNull, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { generateSecret, purpose, sameHash, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { Client } from '../../core/clients/client.entity.js';
import { type Holder, Holds } from '../../core/holdings/holdings.service.js';
import { rowsOf, type Whose } from '../../core/sessions/whose.js';
import type { Contact } from '../../core/users/contact.js';
import { VerificationAllowances } from './verification-allowances.js';
import { nameOf, type VerificationMessage } from './verification-message.js';
import { purposesFor, type VerificationPurpose, type VerificationUse } from './verification-purpose.js';
import { type ContactNotice, VerificationSender } from './verification-sender.js';
import { Verification } from './verification.entity.js';

/** Life of a code, and then of the token it is exchanged for, in seconds. */
export const VERIFICATION_TTL = 600;
const DAY = 86_400_000;
const TOKEN = purpose('verification-token', VERIFICATION_TTL * 1000);
/** For as long as what was sent to it counts. */
const TARGET = purpose('verification-target', DAY);
const CODE = purpose('verification-code', VERIFICATION_TTL * 1000);
/** Wrong guesses that a code survives. */
const TRIES = 5;
/** What one target is sent on behalf of one who asks: nobody else's asking keeps the owner from their code. */
const PER_ASKER = { pause: 60_000, perDay: 10 };
/** What strangers together may have sent to one target: 150 guesses a day at a six-digit number. */
const PER_TARGET = { pause: 0, perDay: 30 };

/**
 * What is presented as proof that somebody owns an e-mail address or phone number: the token, or that this signed-in user
 * asked for the code and has verified it, or both.
 */
export type VerificationProof = {
  contact: Contact;
  /** Who presents it: it must be the client that asked for the code. */
  clientId: string;
} & ({ token: string; sub?: string } | { token?: undefined; sub: string });

/** Sends codes to e-mail addresses and phone numbers, and takes them back as proof that somebody owns one. */
@Injectable()
@Sweeps()
@Holds('verifications')
export class VerificationService implements Holder, OnModuleDestroy {
  private readonly rows = this.database.repository(Verification);
  private readonly logger = new Logger('Verification');
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly sender: VerificationSender,
    private readonly allowances: VerificationAllowances,
    private readonly clock: Clock,
  ) {}

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.underWay);
  }

  /** Removes every code that a client, or a signed-in user, has asked for. @returns how many were good */
  removeAll(of: Whose): Promise<number> {
    return this.database.deleteAll(this.rows, 'id', rowsOf(of), { expires_at: MoreThan(this.clock.now()) });
  }

  /**
   * Sends a code. It replaces none that is under way: others may ask for codes to the same target.
   * @param asked.deliver false: the answer is the same, nothing is sent, and no code is right
   * @param asked.by whose allowance it takes, besides the target's
   * @param asked.own whether it is the signed-in user's own contact, so that no stranger's sends count
   * @returns the verification_id
   * @throws AuthError resource_exhausted, permission_denied
   */
  async start(
    to: Contact,
    asked: {
      client: Client;
      purpose: VerificationPurpose;
      by: string;
      own: boolean;
      sub?: string;
      deliver: boolean;
      language: VerificationMessage['language'];
    },
  ): Promise<string> {
    if (!this.sender.delivers(to.channel)) {
      throw new AuthError('permission_denied', { reason: 'VERIFICATION_CHANNEL_OFF' });
    }
    const targets = this.targetsOf(to);
    const askers = targets.map((target, i) => this.secret.hashes(TARGET, `${target} ${asked.by}`)[i]!);
    await this.allowances.take(askers, PER_ASKER);
    if (!asked.own) await this.allowances.take(targets, PER_TARGET);
    const id = randomBytes(16).toString('base64url');
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    await this.rows.insert({
      id,
      client_id: asked.client.id,
      purpose: asked.purpose,
      target: targets[0],
      sub: asked.sub ?? null,
      // what nobody was sent, nobody can guess
      code_hash: this.secret.hash(CODE, said(id, asked.deliver ? code : generateSecret())),
      tries_left: TRIES,
      token_hash: null,
      expires_at: this.clock.now() + VERIFICATION_TTL * 1000,
    });
    await this.database.flush();
    const message = { to, code, expiresIn: VERIFICATION_TTL, language: asked.language, purpose: asked.purpose };
    if (asked.deliver) this.deliver(id, { ...message, client: nameOf(asked.client) });
    return id;
  }

  /**
   * Exchanges a code for a verification token, once.
   * @throws AuthError invalid_verification_code, and after five of those the code is dead
   */
  async verify(id: string, code: string, clientId: string): Promise<string> {
    const now = this.clock.now();
    const living = { id, client_id: clientId, token_hash: IsNull(), expires_at: MoreThan(now) };
    // the try is spent before the code is looked at, so parallel guesses cannot share one
    const tried = await this.spendTry(living);
    const row = tried ? await this.rows.findOneBy({ id }) : null;
    const token = generateSecret();
    if (row && this.secret.hashes(CODE, said(id, code)).some((hash) => sameHash(row.code_hash, hash))) {
      const { affected } = await this.rows.update(living, {
        token_hash: this.secret.hash(TOKEN, token),
        tries_left: TRIES,
        expires_at: now + VERIFICATION_TTL * 1000,
      });
      await this.database.flush();
      if (affected === 1) return token;
    }
    throw new AuthError('invalid_verification_code', { reason: 'VERIFICATION_CODE_INVALID' });
  }

  /** Whether a proof would be taken; five times at most, for it tells something each time. */
  tries(use: VerificationUse, proof: VerificationProof): Promise<boolean> {
    return this.spendTry(this.whereProven(use, proof));
  }

  /** Uses a proof up. Of any number of parallel calls exactly one is told true. */
  async consume(use: VerificationUse, proof: VerificationProof): Promise<boolean> {
    const { affected } = await this.rows.update(this.whereProven(use, proof), {
      token_hash: null,
      tries_left: 0,
      expires_at: 0,
    });
    await this.database.flush();
    return (affected ?? 0) > 0;
  }

  /** Tells a former address or number what became of it. Nobody waits for it. */
  notify(notice: ContactNotice): void {
    this.track(this.sender.notify(notice), 'a notice was not sent');
  }

  /** Removes at most `batch` rows that prove nothing any more. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.rows, 'id', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }

  private whereProven(use: VerificationUse, { contact, token, clientId, sub }: VerificationProof) {
    return {
      target: In(this.targetsOf(contact)),
      client_id: clientId,
      purpose: In(purposesFor(use)),
      token_hash: token === undefined ? Not(IsNull()) : In(this.secret.hashes(TOKEN, token)),
      expires_at: MoreThan(this.clock.now()),
      ...(sub !== undefined && { sub }),
    } satisfies FindOptionsWhere<Verification>;
  }

  private async spendTry(of: FindOptionsWhere<Verification>): Promise<boolean> {
    const { affected } = await this.rows.update(
      { ...of, tries_left: MoreThan(0) },
      { tries_left: () => 'tries_left - 1' },
    );
    return affected === 1;
  }

  /** After the answer, which must not take longer where there is somebody to send to. */
  private deliver(id: string, message: VerificationMessage): void {
    const sent = turn()
      .then(() => this.sender.send(message))
      .catch(async (error: unknown) => {
        this.logger.error({ msg: 'a verification code was not sent', error: String(error) });
        await this.rows.delete({ id }); // nobody has it
      });
    this.track(sent, 'its code is still alive');
  }

  private track(work: Promise<void>, failure: string): void {
    const sending = work
      .catch((error: unknown) => this.logger.error({ msg: failure, error: String(error) }))
      .finally(() => this.underWay.delete(sending));
    this.underWay.add(sending);
  }

  /** What it may be known as, the current one first. */
  private targetsOf({ channel, value }: Contact): string[] {
    return this.secret.hashes(TARGET, `${channel}:${value}`);
  }
}

function said(id: string, code: string): string {
  return `${id}:${code}`;
}

/** A verification token that proves nothing here: wrong, used up, expired, or of another address, client or purpose. */
export function verificationTokenInvalid(): AuthError<'invalid_verification_code'> {
  return new AuthError('invalid_verification_code', { reason: 'VERIFICATION_TOKEN_INVALID' });
}
