import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';

/** What a key derived from the service secret is for; one purpose's hash means nothing to another. */
export type Purpose = string & { readonly __purpose: true };

/** Purposes, and for how many milliseconds at most something made for them goes on being asked for. */
const purposes = new Map<string, number>();

/**
 * Names a purpose, beside the one service that has it.
 * @param neededFor how long what is made for it may still be asked for, in milliseconds, so that one knows when a former
 *   secret is needed no longer; left out: whoever has the purpose counts what is left of it (`@NeedsSecret`)
 * @throws Error where the name is taken: two services must not understand each other's hashes
 */
export function purpose(name: string, neededFor = 0): Purpose {
  if (purposes.has(name)) throw new Error(`two services derive a key for ${name}`);
  purposes.set(name, neededFor);
  return name as Purpose;
}

/** For how many milliseconds at most anything that nobody counts is asked for after it was made. */
export function longestNeed(): number {
  return Math.max(...purposes.values());
}

const SECRET_ID = purpose('secret-id');

/**
 * The service secret, only ever used through keys derived from it (HKDF-SHA256, RFC 5869). Whatever is made is made
 * under the current one; what was made under the previous one, if there is one, is understood all the same.
 */
@Injectable()
export class ServiceSecret {
  private readonly current: DerivedKeys;
  private readonly previous?: DerivedKeys;
  /** What tells the secrets apart in the database: 16 characters. */
  readonly id: string;
  readonly previousId?: string;

  constructor(@Inject(AUTH_OPTIONS) { secret, previousSecret }: ResolvedAuthOptions) {
    this.current = new DerivedKeys(secret);
    this.id = idOf(this.current);
    if (previousSecret === undefined) return;
    this.previous = new DerivedKeys(previousSecret);
    this.previousId = idOf(this.previous);
  }

  /** Keyed hash (HMAC-SHA256, 32 bytes). */
  mac(purpose: Purpose, data: string | Buffer): Buffer {
    return this.current.mac(purpose, data);
  }

  /** Whether it is the keyed hash of this data. */
  isMac(purpose: Purpose, data: string | Buffer, mac: Buffer): boolean {
    const matches = (keys: DerivedKeys) => {
      const ours = keys.mac(purpose, data);
      return ours.length === mac.length && timingSafeEqual(ours, mac);
    };
    return matches(this.current) || (this.previous !== undefined && matches(this.previous));
  }

  /** The keyed hashes that the same data may have, the current one first. */
  macs(purpose: Purpose, data: string | Buffer): Buffer[] {
    const mac = this.current.mac(purpose, data);
    return this.previous ? [mac, this.previous.mac(purpose, data)] : [mac];
  }

  /** Keyed hash of a machine secret as it is stored: base64url, 43 characters. */
  hash(purpose: Purpose, secret: string): string {
    return this.mac(purpose, secret).toString('base64url');
  }

  /** The hashes under which it may be stored, the current one first: to look it up, or to compare each by sameHash(). */
  hashes(purpose: Purpose, secret: string): string[] {
    return this.macs(purpose, secret).map((mac) => mac.toString('base64url'));
  }

  /** AES-256-GCM: nonce, tag and ciphertext in one base64url string. */
  seal(purpose: Purpose, plaintext: Buffer): string {
    return this.current.seal(purpose, plaintext);
  }

  /** Throws if the box was sealed under neither secret. */
  open(purpose: Purpose, box: string): Buffer {
    if (!this.previous) return this.current.open(purpose, box);
    try {
      return this.current.open(purpose, box);
    } catch {
      return this.previous.open(purpose, box);
    }
  }

  /** The box anew, where it was sealed under the previous secret; undefined: it was not. */
  resealed(purpose: Purpose, box: string): string | undefined {
    try {
      return this.previous && this.seal(purpose, this.previous.open(purpose, box));
    } catch {
      return undefined;
    }
  }
}

/** One secret's keys. */
class DerivedKeys {
  private readonly keys = new Map<Purpose, Buffer>();

  constructor(private readonly secret: string) {}

  mac(purpose: Purpose, data: string | Buffer): Buffer {
    return createHmac('sha256', this.key(purpose)).update(data).digest();
  }

  seal(purpose: Purpose, plaintext: Buffer): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key(purpose), nonce);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  open(purpose: Purpose, box: string): Buffer {
    const bytes = Buffer.from(box, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.key(purpose), bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  }

  private key(purpose: Purpose): Buffer {
    let key = this.keys.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.secret, 'nest-auth', purpose, 32));
      this.keys.set(purpose, key);
    }
    return key;
  }
}

function idOf(keys: DerivedKeys): string {
  return keys.mac(SECRET_ID, '').toString('base64url', 0, 12);
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
