import { Injectable, Inject } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Clock } from '../../base/clock.js';
import { accessTokenInvalid, AuthError } from '../../base/errors/auth.error.js';
import { missing } from '../../base/http/rules.js';
import type { Language } from '../../base/languages.js';
import type { AccessToken } from '../../core/sessions/access-token.js';
import type { Origin } from '../../base/http/origin.js';
import { endedBy } from '../../core/sessions/ending.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { SignOutService } from '../../core/sessions/sign-out.service.js';
import { Limits } from '../../core/throttling/limits.js';
import { Attempts } from '../../core/throttling/attempts.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import { type Contact, contactOf } from '../../core/users/contact.js';
import type { OwnValues } from '../../core/users/user.service.js';
import { languageNamed } from '../../base/http/language.js';
import { type UserProfile, versionOf } from '../../core/users/users.js';
import type { VerificationUse } from '../verification/verification-purpose.js';
import {
  type VerificationProof,
  VerificationService,
  verificationTokenInvalid,
} from '../verification/verification.service.js';
import { SudoTokens } from './sudo-tokens.js';

/** How long ago a user may have proven who they are and still change what they sign in by, in milliseconds. */
const RECENT = 600_000;

/** A proof that may come with a request whose session has seen none for a while. */
export interface Proof {
  sudo_token?: string;
  password?: string;
}

export interface ContactChange {
  to: Contact;
  /** Of the notice that the former addresses get, where the user's own is not known. */
  language: Language;
}

/** What signed-in users do with their own account. `bearer` is their live access token. */
@Injectable()
export class AccountService {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly sessions: SessionService,
    private readonly signOuts: SignOutService,
    private readonly attempts: Attempts,
    private readonly verifications: VerificationService,
    private readonly sudoTokens: SudoTokens,
    private readonly limits: Limits,
    private readonly clock: Clock,
    private readonly audit: Audit,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Takes a password, or a verification token for an address or number of the user's own, for a sudo token.
   * @throws AuthError invalid_username_or_password, password_not_set, invalid_verification_code
   */
  async sudo(bearer: AccessToken, proof: { password: string } | { verificationToken: string }): Promise<string> {
    const profile = await this.profileOf(bearer);
    const provenAt = this.clock.now(); // before the check, as at a sign-in
    if ('password' in proof) await this.checkPassword(bearer, profile, proof.password);
    else await this.consumeAny('sudo', bearer, contactsOf(profile), proof.verificationToken);
    await this.sessions.prove(bearer.sid!, provenAt);
    return this.sudoTokens.issue(bearer.sub, bearer.sid!, versionOf(profile));
  }

  /** Sets a password and ends every other session of the user. @throws AuthError invalid_verification_code */
  async setPassword(bearer: AccessToken, sudoToken: string, password: string, origin: Origin): Promise<void> {
    const version = versionOf(await this.profileOf(bearer));
    this.sudoTokens.check(sudoToken, bearer.sub, bearer.sid!, version);
    await this.replacePassword(bearer, password, version, origin);
  }

  /** The same by the old password. @throws AuthError invalid_username_or_password, password_not_set */
  async changePassword(bearer: AccessToken, old: string, password: string, origin: Origin): Promise<void> {
    const profile = await this.profileOf(bearer);
    await this.checkPassword(bearer, profile, old);
    await this.replacePassword(bearer, password, versionOf(profile), origin);
  }

  /**
   * Sets the password of whoever has proven this contact, and ends all of their sessions.
   * @throws AuthError invalid_verification_code, the same where nobody has an account by it
   */
  async resetPassword(proof: VerificationProof, password: string, origin: Origin): Promise<void> {
    const directory = this.users.directory();
    const proven = await this.verifications.consume('reset', proof);
    const user = proven ? await directory.findByContact(proof.contact) : undefined;
    if (!user) throw verificationTokenInvalid();
    await this.users.table().setPassword(user.sub, password);
    await this.signOuts.end({ sub: user.sub }, endedBy('user', 'CREDENTIALS_CHANGED', origin));
    this.audit.record({ event: 'password_changed', sub: user.sub });
  }

  /**
   * Changes what the values name. A username is signed in by, so it wants a recent proof.
   * @param network where the request comes from
   * @throws AuthError username_already_exists, resource_exhausted, permission_denied for an anonymous user, and as
   *   requireRecentProof()
   */
  async edit(bearer: AccessToken, values: OwnValues, proof: Proof, network: string): Promise<UserProfile> {
    const profile = await this.named(bearer);
    if (values.username !== undefined) await this.requireRecentProof(bearer, profile, proof);
    if (values.username !== undefined && values.username !== profile.username) {
      await this.askForName(bearer.sub, network);
    }
    await this.users.table().edit(bearer.sub, values);
    return this.profileOf(bearer);
  }

  /**
   * Changes an e-mail address or phone number, by a sudo token and the proof of the new one.
   * @throws AuthError invalid_verification_code, already_exists
   */
  async changeContact(
    bearer: AccessToken,
    change: ContactChange,
    sudoToken: string,
    verificationToken: string,
  ): Promise<void> {
    const profile = await this.named(bearer);
    this.sudoTokens.check(sudoToken, bearer.sub, bearer.sid!, versionOf(profile));
    await this.consumeAny('contact', bearer, [change.to], verificationToken);
    await this.replaceContact(bearer, profile, change);
  }

  /**
   * The same for the SDK's updateUser(), which verifies a code sent to this very user and drops the token.
   * @throws AuthError already_exists, and as requireRecentProof()
   */
  async adoptVerified(bearer: AccessToken, change: ContactChange, proof: Proof): Promise<void> {
    const profile = await this.named(bearer);
    await this.requireRecentProof(bearer, profile, proof);
    const verified = { contact: change.to, clientId: bearer.client_id, sub: bearer.sub };
    if (!(await this.verifications.consume('contact', verified))) throw verificationTokenInvalid();
    await this.replaceContact(bearer, profile, change);
  }

  /** Every address and number that the account had is told, for one that was added is signed in by as well. */
  private async replaceContact(
    { sub, client_id }: AccessToken,
    { email, phoneNumber, locale }: UserProfile,
    { to, language }: ContactChange,
  ): Promise<void> {
    await this.users.table().setContact(sub, to);
    this.audit.record({ event: 'contact_changed', clientId: client_id, sub });
    const former = [email, phoneNumber].flatMap((text) => contactOf(text ?? '') ?? []);
    for (const contact of former.filter(({ value }) => value !== to.value)) {
      this.verifications.notify({ to: contact, changed: to.channel, language: languageNamed(locale) ?? language });
    }
  }

  /**
   * A stolen token is not enough to take an account over: its user has signed in or got a sudo token within ten
   * minutes, in this very session, or sends a proof along.
   * @throws AuthError invalid_argument where there is none, and what is wrong with the one that was sent
   */
  private async requireRecentProof(bearer: AccessToken, profile: UserProfile, proof: Proof): Promise<void> {
    const session = await this.sessions.find(bearer.sid!);
    const provenAt = Math.max(session?.authenticated_at ?? 0, session?.proven_at ?? 0);
    if (this.clock.now() - provenAt < RECENT) return;
    if (proof.password !== undefined) return this.checkPassword(bearer, profile, proof.password);
    if (proof.sudo_token === undefined) throw missing('sudo_token');
    this.sudoTokens.check(proof.sudo_token, bearer.sub, bearer.sid!, versionOf(profile));
  }

  /** Whoever takes a name learns whether somebody has it, so that what is counted is the asking and not the refusal. */
  private async askForName(sub: string, network: string): Promise<void> {
    await this.limits.take('names', `network ${network}`, this.options.limitNames, 'LIMIT_NAMES');
    await this.limits.take('names', `user ${sub}`, this.options.limitNames, 'LIMIT_NAMES');
  }

  /** @param proven the version that the proof was checked against */
  private async replacePassword(bearer: AccessToken, password: string, proven: number, origin: Origin): Promise<void> {
    const version = await this.users.table().changePassword(bearer.sub, password, proven, bearer.sid!);
    if (version === undefined) throw accessTokenInvalid(); // somebody else's change was first, and ended this session
    await this.sessions.reauthenticate(bearer.sid!, {
      authenticated_at: this.clock.now(),
      credentials_version: version,
    });
    await this.sessions.revokeOthers(bearer.sub, bearer.sid!, endedBy('user', 'CREDENTIALS_CHANGED', origin));
    this.audit.record({ event: 'password_changed', clientId: bearer.client_id, sub: bearer.sub });
  }

  private async checkPassword({ sid }: AccessToken, profile: UserProfile, password: string): Promise<void> {
    const { sub, hasPassword } = profile;
    if (!hasPassword) throw new AuthError('password_not_set', { reason: 'PASSWORD_NOT_SET' });
    const check = async () => ((await this.users.directory().verifyOwn(sub, password)) ? true : undefined);
    if (await this.attempts.ofAccount(sub, check, () => `session ${sid}`)) return;
    this.audit.record({ event: 'sign_in_failed', sub, reason: 'WRONG_USERNAME_OR_PASSWORD' });
    throw new AuthError('invalid_username_or_password', { reason: 'WRONG_USERNAME_OR_PASSWORD' });
  }

  /** By a code that this very user asked for. */
  private async consumeAny(
    use: VerificationUse,
    bearer: AccessToken,
    contacts: Contact[],
    token: string,
  ): Promise<void> {
    const { client_id: clientId, sub } = bearer;
    for (const contact of contacts)
      if (await this.verifications.consume(use, { contact, token, clientId, sub })) return;
    throw verificationTokenInvalid();
  }

  private async named(bearer: AccessToken): Promise<UserProfile> {
    const profile = await this.profileOf(bearer);
    if (profile.anonymous) throw new AuthError('permission_denied', { reason: 'USER_ANONYMOUS' });
    return profile;
  }

  private async profileOf({ sub }: AccessToken): Promise<UserProfile> {
    const profile = await this.users.directory().profile(sub);
    if (!profile) throw accessTokenInvalid();
    return profile;
  }
}

/** The addresses and numbers that a user has proven. */
function contactsOf({ email, emailVerified, phoneNumber }: UserProfile): Contact[] {
  return [emailVerified ? email : undefined, phoneNumber].flatMap((text) => contactOf(text ?? '') ?? []);
}
