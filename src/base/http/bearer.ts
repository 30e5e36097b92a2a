import type { IncomingMessage } from 'node:http';

/** The token of `Authorization: Bearer` (RFC 6750 §2.1); undefined: there is none, or it is malformed. */
export function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
}
