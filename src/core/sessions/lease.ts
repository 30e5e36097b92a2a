import type { Client } from '../clients/client.entity.js';
import type { User } from '../users/users.js';
import type { ReadToken } from './read-token.js';
import type { Session } from './session.entity.js';

/** Who presents a token: an authenticated client, perhaps from a named device, perhaps with a key of its own. */
export interface Party {
  client: Client;
  deviceId?: string;
  /** Its address, behind the proxies that are trusted. */
  ip?: string;
  /** Thumbprint of the key that a DPoP proof of this request was made with (RFC 9449). */
  dpopJkt?: string;
  /** Uses that proof up (see DpopProof): before something is given for it, and after its key was compared. */
  useProof?: () => Promise<void>;
  /** A refresh token that the limits have read already, and what it says. */
  read?: ReadToken;
  requestId: string;
}

export interface NewSession {
  sub: string;
  scope: string[];
  /** When the user proved who they are, in milliseconds since the Unix epoch. */
  authenticatedAt: number;
  /** The user's version (User.version) that this was checked against. Default: the one of this moment. */
  version?: number;
  /** Whether its access tokens may act on the user's whole account (account-access.ts). Left out: they may not. */
  accountAccess?: boolean;
  /** The browser session that it is opened from. */
  browserSessionId?: string;
  /** Uses up the code that this sign-in is for: one conditional UPDATE. False ends the attempt. */
  consume?: (sessionId: string) => Promise<boolean>;
}

/** A living session with its user and the one refresh token that works next. */
export interface Lease {
  sessionId: string;
  user: User;
  scope: string[];
  authenticatedAt: number;
  refreshToken: string;
  /** Whether this access token may act on the user's whole account. */
  accountAccess?: boolean;
  /** Thumbprint of the key that the access token shall be bound to; undefined: a Bearer token. */
  dpopJkt?: string;
}

/** What a refresh has to know of its session. */
export type RefreshedSession = Pick<
  Session,
  'sub' | 'scope' | 'authenticated_at' | 'credentials_version' | 'account_access'
>;
