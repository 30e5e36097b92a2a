/** A request and its answer, or what an operator did. Moments are in milliseconds, by one clock. */
export interface Event {
  at: number;
  end: number;
  by?: string;
  node?: string;
  did: string;
  said: 'ok' | 'refused' | 'unavailable' | 'lost' | 'fault';
  why?: string;
  user?: string;
  /** The number of the password. */
  password?: number;
  client?: string;
  device?: string;
  /** The session that it is about, or that was opened. */
  session?: string;
  code?: string;
  /** The refresh token that was presented. */
  token?: string;
  /** The refresh token that was answered, and its session where that is another one. */
  gave?: string;
  gaveSession?: string;
  /** It was one of our thieves. */
  thief?: boolean;
}

export interface Violation {
  rule: string;
  why: string;
  events: Event[];
}

export function check(history: Event[], options?: { window?: number; skew?: number }): Violation[];
