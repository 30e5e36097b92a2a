import { Injectable } from '@nestjs/common';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';

const REFRESH_TOKEN = purpose('refresh-token');

/** What a refresh token says: the session, and the generation that it lives in. */
export interface RefreshToken {
  sessionId: string;
  generation: number;
}

/** Largest refresh token that we would ever look at, in characters. */
export const MAX_REFRESH_TOKEN = 128;

const PREFIX = 'm.';
const ID_BYTES = 16;
const CLAIMS_BYTES = ID_BYTES + 4;
const MAC_BYTES = 32;

/**
 * Derives refresh tokens instead of storing them: `m.` + base64url(session id, 16 bytes ‖ generation, 4 bytes ‖
 * HMAC-SHA256 over both), 72 characters. A stolen database holds none, and a forged one is refused before any query.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly secret: ServiceSecret) {}

  derive({ sessionId, generation }: RefreshToken): string {
    const claims = Buffer.alloc(CLAIMS_BYTES);
    claims.write(sessionId, 'base64url');
    claims.writeUInt32BE(generation, ID_BYTES);
    return PREFIX + Buffer.concat([claims, this.secret.mac(REFRESH_TOKEN, claims)]).toString('base64url');
  }

  /** @returns undefined where it is not, bit for bit, a token of ours */
  read(token: string): RefreshToken | undefined {
    if (token.length > MAX_REFRESH_TOKEN || !token.startsWith(PREFIX)) return undefined;
    const text = token.slice(PREFIX.length);
    const bytes = Buffer.from(text, 'base64url');
    // the second half: one token has one spelling
    if (bytes.length !== CLAIMS_BYTES + MAC_BYTES || bytes.toString('base64url') !== text) return undefined;
    const claims = bytes.subarray(0, CLAIMS_BYTES);
    if (!this.secret.isMac(REFRESH_TOKEN, claims, bytes.subarray(CLAIMS_BYTES))) return undefined;
    return {
      sessionId: claims.toString('base64url', 0, ID_BYTES),
      generation: claims.readUInt32BE(ID_BYTES),
    };
  }
}
