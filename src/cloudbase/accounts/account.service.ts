import { Injectable } from '@nestjs/common';
import { AuditSink } from '../../base/audit.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { AccessToken } from '../../core/sessions/access-token.service.js';
import { SessionService } from '../../core/sessions/session.service.js';
import { Attempts } from '../../core/throttling/attempts.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import { type Contact, contactOf } from '../../core/users/contact.js';
import type { OwnValues } from '../../core/users/user.service.js';
import type { UserProfile } from '../../core/users/users.js';
import { VerificationService } from '../verification/verification.service.js';
import { SudoTokens } from './sudo-tokens.js';

/** How far ahead a session is marked while its user's password changes, in milliseconds. */
const AHEAD = 60_000;

/** What signed-in users do with their own account. `bearer` is their live access token. */
@Injectable()
export class AccountService {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly sessions: SessionService,
    private readonly attempts: Attempts,
    private readonly verifications: VerificationService,
    private readonly sudoTokens: SudoTokens,
    private readonly clock: Clock,
    private readonly audit: AuditSink,
  ) {}

  /**
   * Takes a password, or a verification token for an address or number of the user's own, for a sudo token.
   * @throws AuthError invalid_username_or_password, password_not_set, invalid_verification_code
   */
  async sudo(bearer: AccessToken, proof: { password: string } | { verificationToken: string }): Promise<string> {
    const profile = await this.profileOf(bearer);
    if ('password' in proof) await this.checkPassword(bearer, profile, proof.password);
    else await this.consumeAny(contactsOf(profile), proof.verificationToken);
    return this.sudoTokens.issue(bearer.sub, bearer.sid!);
  }

  /** Sets a password and ends every other session of the user. @throws AuthError invalid_verification_code */
  async setPassword(bearer: AccessToken, sudoToken: string, password: string): Promise<void> {
    const { validAfter } = await this.profileOf(bearer);
    this.sudoTokens.check(sudoToken, bearer.sub, bearer.sid!, validAfter);
    await this.replacePassword(bearer, password);
  }

  /** The same by the old password. @throws AuthError invalid_username_or_password, password_not_set */
  async changePassword(bearer: AccessToken, old: string, password: string): Promise<void> {
    await this.checkPassword(bearer, await this.profileOf(bearer), old);
    await this.replacePassword(bearer, password);
  }

  /**
   * Sets the password of whoever has proven this contact, and ends all of their sessions.
   * @throws AuthError invalid_verification_code, the same where nobody has an account by it
   */
  async resetPassword(contact: Contact, verificationToken: string, password: string): Promise<void> {
    const directory = this.users.directory();
    const proven = await this.verifications.consume(contact, verificationToken);
    const user = proven ? await directory.findByContact(contact) : undefined;
    if (!user) throw new AuthError('invalid_verification_code', { reason: 'VERIFICATION_TOKEN_INVALID' });
    await this.users.table().setPassword(user.sub, password);
    await this.sessions.revokeAll({ sub: user.sub });
    this.audit.record({ event: 'password_changed', sub: user.sub });
  }

  /** @throws AuthError username_already_exists, permission_denied for an anonymous user */
  async edit(bearer: AccessToken, values: OwnValues): Promise<UserProfile> {
    await this.named(bearer);
    await this.users.table().edit(bearer.sub, values);
    return this.profileOf(bearer);
  }

  /**
   * Changes an e-mail address or phone number, by a sudo token and the proof of the new one.
   * @throws AuthError invalid_verification_code, already_exists
   */
  async changeContact(bearer: AccessToken, contact: Contact, sudo: string, verificationToken: string): Promise<void> {
    const { validAfter } = await this.named(bearer);
    this.sudoTokens.check(sudo, bearer.sub, bearer.sid!, validAfter);
    await this.consumeAny([contact], verificationToken);
    await this.users.table().setContact(bearer.sub, contact);
  }

  /** The same for the SDK's updateUser(), which verifies a code sent to this very user and drops the token. */
  async adoptVerified(bearer: AccessToken, contact: Contact): Promise<void> {
    await this.named(bearer);
    if (!(await this.verifications.consumeOwn(contact, bearer.sub))) throw invalidToken();
    await this.users.table().setContact(bearer.sub, contact);
  }

  private async replacePassword(bearer: AccessToken, password: string): Promise<void> {
    // marked ahead, so that a parallel refresh of this very session finds it valid whenever the password changes
    await this.sessions.reauthenticate(bearer.sid!, this.clock.now() + AHEAD);
    const validAfter = await this.users.table().setPassword(bearer.sub, password);
    await this.sessions.reauthenticate(bearer.sid!, validAfter);
    await this.sessions.revokeOthers(bearer.sub, bearer.sid!);
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

  private async consumeAny(contacts: Contact[], verificationToken: string): Promise<void> {
    for (const contact of contacts) if (await this.verifications.consume(contact, verificationToken)) return;
    throw invalidToken();
  }

  private async named(bearer: AccessToken): Promise<UserProfile> {
    const profile = await this.profileOf(bearer);
    if (profile.anonymous) throw new AuthError('permission_denied', { reason: 'USER_ANONYMOUS' });
    return profile;
  }

  private async profileOf({ sub }: AccessToken): Promise<UserProfile> {
    const profile = await this.users.directory().profile(sub);
    if (!profile) throw new AuthError('unauthenticated', { reason: 'ACCESS_TOKEN_INVALID' });
    return profile;
  }
}

/** The addresses and numbers that a user has proven. */
function contactsOf({ email, emailVerified, phoneNumber }: UserProfile): Contact[] {
  return [emailVerified ? email : undefined, phoneNumber].flatMap((text) => contactOf(text ?? '') ?? []);
}

function invalidToken(): AuthError {
  return new AuthError('invalid_verification_code', { reason: 'VERIFICATION_TOKEN_INVALID' });
}
