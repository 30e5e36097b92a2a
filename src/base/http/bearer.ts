import type { HttpExchange } from './http-exchange.js';

/** The token of `Authorization: Bearer` (RFC 6750 §2.1); undefined: there is none, or it is malformed. */
export function bearerOf(http: HttpExchange): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(http.header('authorization') ?? '')?.[1];
}
