import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';

/** What a key derived from the service secret is for; one purpose's hash means nothing to another. */
export type Purpose = string & { readonly __purpose: true };

const purposes = new Set<string>();

/**
 * Names a purpose, beside the one service that has it.
 * @throws Error where the name is taken: two services must not understand each other's hashes
 */
export function purpose(name: string): Purpose {
  if (purposes.has(name)) throw new Error(`two services derive a key for ${name}`);
  purposes.add(name);
  return name as Purpose;
}

/** The service secret, only ever used through keys derived from it (HKDF-SHA256, RFC 5869). */
@Injectable()
export class ServiceSecret {
  private readonly keys = new Map<Purpose, Buffer>();

  constructor(@Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions) {}

  /** Keyed hash (HMAC-SHA256, 32 bytes). */
  mac(purpose: Purpose, data: string | Buffer): Buffer {
    return createHmac('sha256', this.key(purpose)).update(data).digest();
  }

  /** Keyed hash of a machine secret as it is stored: base64url, 43 characters. */
  hash(purpose: Purpose, secret: string): string {
    return this.mac(purpose, secret).toString('base64url');
  }

  /** AES-256-GCM: nonce, tag and ciphertext in one base64url string. */
  seal(purpose: Purpose, plaintext: Buffer): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key(purpose), nonce);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** Throws if the box was not sealed under this service secret. */
  open(purpose: Purpose, box: string): Buffer {
    const bytes = Buffer.from(box, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.key(purpose), bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  }

  private key(purpose: Purpose): Buffer {
    let key = this.keys.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.options.secret, 'nest-auth', purpose, 32));
      this.keys.set(purpose, key);
    }
    return key;
  }
}

/** Constant-time comparison of two hashes of one length. */
export function sameHash(a: string, b: string): boolean {
  const x = Buffer.from(a);
  const y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
}

/** A new machine secret: 256 bits, base64url, 43 characters. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}
