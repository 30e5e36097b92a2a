/** What somebody may do by the proof that an e-mail address or phone number is theirs. */
export type VerificationUse = 'sign_in' | 'sign_up' | 'reset' | 'sudo' | 'contact';

/**
 * What a code is asked for, and so all that it is good for. CloudBase's SDK asks for one before its user has said whether
 * they have an account, or have forgotten their password: so a purpose may have several uses.
 */
const USES = {
  /** By somebody who is at the door. */
  access: ['sign_in', 'sign_up', 'reset', 'sudo'],
  sign_in: ['sign_in', 'sign_up'],
  sign_up: ['sign_up'],
  reset: ['reset'],
  /** By a signed-in user, for an address or number of their own. */
  confirm: ['sudo', 'sign_in'],
  /** By a signed-in user, for a new one. */
  contact: ['contact'],
} as const satisfies Record<string, readonly VerificationUse[]>;

export type VerificationPurpose = keyof typeof USES;

/** How a code is asked for. */
export interface CodeRequest {
  /** ANY, USER, NOT_USER or CUR_USER; left out: ANY. */
  target?: string;
  /** What @cloudbase/js-sdk says besides, where it says so: `email` at its sign-in, `recovery` at its reset. */
  usage?: string;
  /** Whether a user who has a name is signed in. */
  signedIn: boolean;
  /** Whether somebody has an account by the address or number; and whether it is the signed-in user. */
  known: boolean;
  own: boolean;
}

export function purposeOf({ target = 'ANY', usage, signedIn, own }: CodeRequest): VerificationPurpose {
  if (usage === 'recovery') return 'reset';
  if (target === 'NOT_USER') return 'sign_up';
  if (target === 'CUR_USER' || (target === 'ANY' && own)) return 'confirm';
  if (usage === 'email') return 'sign_in';
  return target === 'ANY' && signedIn ? 'contact' : 'access';
}

/** Whether a code goes out: to users, to strangers, to the caller, or to anybody. */
export function isWanted({ target, known, own }: CodeRequest): boolean {
  if (target === 'USER') return known;
  if (target === 'NOT_USER') return !known;
  return target === 'CUR_USER' ? own : true;
}

/** The purposes whose codes are good for a use. */
export function purposesFor(use: VerificationUse): VerificationPurpose[] {
  const purposes = Object.keys(USES) as VerificationPurpose[];
  return purposes.filter((purpose) => (USES[purpose] as readonly VerificationUse[]).includes(use));
}
