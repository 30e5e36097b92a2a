import { hostname, userInfo } from 'node:os';
import type { Origin } from '../../base/http/origin.js';
import type { User } from '../users/users.js';

/** Why a session ended: the `reason` of the `invalid_grant` that its refresh token gets from then on. */
export type EndReason =
  | 'SIGNED_OUT'
  | 'DEVICE_SIGNED_OUT'
  | 'DEVICE_LIMIT'
  | 'CREDENTIALS_CHANGED'
  | 'USER_DISABLED'
  | 'USER_PENDING'
  | 'CLIENT_DISABLED'
  | 'CLIENT_CHANGED'
  | 'SESSION_REVOKED'
  | 'REFRESH_TOKEN_REUSED'
  | 'CODE_REUSED';

/** Whose doing it was; `server`: nobody's, a rule of the service's own. */
export type EndActor = 'user' | 'client' | 'operator' | 'server';

/** How a session ended, for whoever asks afterwards. */
export interface Ending {
  reason: EndReason;
  by: EndActor;
  /** Where it was asked for: a client's address; of an operator `account@machine`. At most 64 characters are kept. */
  from?: string;
  /** The x-device-id of that request. At most 128 characters. */
  device?: string;
}

/** Where nobody said more. */
export const REVOKED: Ending = { reason: 'SESSION_REVOKED', by: 'server' };

/** Something that a request did. */
export function endedBy(by: EndActor, reason: EndReason, { ip, deviceId }: Origin = {}): Ending {
  return { reason, by, from: ip, device: deviceId };
}

/** Something that no longer holds by what became of its user. */
export function outdated(user: User | undefined): Ending {
  if (!user) return REVOKED; // is gone
  const reason = user.disabled ? 'USER_DISABLED' : user.pending ? 'USER_PENDING' : 'CREDENTIALS_CHANGED';
  return endedBy('server', reason);
}

/** Something that a command did. */
export function endedByOperator(reason: EndReason): Ending {
  return { reason, by: 'operator', from: `${account()}@${hostname()}` };
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    return '?'; // of a container's user there may be no name
  }
}
