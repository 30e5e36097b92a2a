import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { AccessToken } from './access-token.js';

const LIVING = Symbol('living token');
type Exchange = HttpExchange & { [LIVING]?: { token: string; claims: AccessToken } };

/** Notes that what stands behind a token still did when this request asked; its time may have run out. */
export function setLivingToken(http: HttpExchange, token: string, claims: AccessToken): void {
  (http as Exchange)[LIVING] = { token, claims };
}

/** The claims of that token, so that a request verifies it once. */
export function livingTokenOf(http: HttpExchange, token: string): AccessToken | undefined {
  const { [LIVING]: living } = http as Exchange;
  return living?.token === token ? living.claims : undefined;
}
