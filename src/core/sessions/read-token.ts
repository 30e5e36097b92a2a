import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { RefreshToken } from './refresh-token.js';

/** A genuine refresh token, and what it says. */
export interface ReadToken {
  token: string;
  says: RefreshToken;
}

const READ = Symbol('read token');
type Exchange = HttpExchange & { [READ]?: ReadToken };

/** Notes what a refresh token of this request says, so that its HMAC is checked once. */
export function setReadToken(http: HttpExchange, read: ReadToken): void {
  (http as Exchange)[READ] = read;
}

export function readTokenOf(http: HttpExchange): ReadToken | undefined {
  return (http as Exchange)[READ];
}
