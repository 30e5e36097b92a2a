import { domainToASCII } from 'node:url';
import { badField } from '../../base/errors/auth.error.js';

/** How somebody can be reached, in the one form in which it is stored and compared. */
export interface Contact {
  channel: 'email' | 'phone_number';
  /** Lower-cased address, its domain as DNS has it; or `+<country> <number>`. */
  value: string;
}

const EMAIL = /^([^\s@<>()[\],;:"\\\p{C}]+)@([^\s@<>()[\],;:"\\/?#%\p{C}]+)$/u;
const DOMAIN = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/;
const MAX_EMAIL = 254; // RFC 5321 §4.5.3.1.3
/** The SDK puts +86 in front of a number without a country; so does this. */
const PHONE = /^(?:\+(\d{1,3}) +|\+(86))?(\d{5,14})$/;

/** What a username may be besides: an e-mail address or a phone number. */
export function contactOf(username: string): Contact | undefined {
  const text = username.normalize('NFKC').trim();
  const email = emailOf(text);
  if (email !== undefined) return { channel: 'email', value: email };
  const phone = PHONE.exec(text);
  return phone ? { channel: 'phone_number', value: `+${phone[1] ?? phone[2] ?? '86'} ${phone[3]}` } : undefined;
}

/** One mailbox has one spelling, whatever its domain was typed like: in capitals, with a dot at the end, in Chinese. */
export function emailOf(text: string): string | undefined {
  const [, name, typed] = EMAIL.exec(text) ?? [];
  if (name === undefined || typed === undefined || text.length > MAX_EMAIL) return undefined;
  const domain = domainToASCII(typed).replace(/\.$/, ''); // RFC 5891 §5
  const email = `${name.toLowerCase()}@${domain}`;
  return DOMAIN.test(domain) && email.length <= MAX_EMAIL ? email : undefined;
}

/** The one spelling of a name, whether anybody has it or not. @param normalized by normalizeUsername() */
export function canonicalName(normalized: string): string {
  return contactOf(normalized)?.value ?? normalized;
}

/**
 * The one contact that a request names.
 * @throws AuthError invalid_argument where it names none, both, or a malformed one
 */
export function requireContact(sent: { email?: string; phone_number?: string }): Contact {
  const { email, phone_number } = sent;
  if (email !== undefined && phone_number !== undefined) {
    throw badField('phone_number', 'PARAMETER_INVALID', 'must not be sent beside email');
  }
  const field = phone_number === undefined ? 'email' : 'phone_number';
  const value = phone_number ?? email;
  if (value === undefined) throw badField('email', 'PARAMETER_MISSING', 'is required, or phone_number');
  const contact = contactOf(value);
  if (contact?.channel === field) return contact;
  const description = field === 'email' ? 'must be an e-mail address' : 'must be like +86 13800000000';
  throw badField(field, 'PARAMETER_INVALID', description);
}

/** What a user has of it, once they have proven it. */
export function proven({ channel, value }: Contact): { email: string; login_email: string } | { phone_number: string } {
  return channel === 'email' ? { email: value, login_email: value } : { phone_number: value };
}

/** The column that its owner, who has proven it, is found by. */
export function ownedBy({ channel, value }: Contact): { login_email: string } | { phone_number: string } {
  return channel === 'email' ? { login_email: value } : { phone_number: value };
}
