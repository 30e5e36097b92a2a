import { Injectable } from '@nestjs/common';
import { Algorithm, hash, type Options, verify } from '@node-rs/argon2';

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const OPTIONS: Options = { algorithm: 2 satisfies Algorithm.Argon2id, outputLen: 32, ...PARAMETERS };

/** Hashes passwords with argon2id (RFC 9106); a host may replace it by this class token. */
@Injectable()
export class PasswordHasher {
  /** @returns the hash in PHC string format */
  hash(password: string): Promise<string> {
    return hash(password, OPTIONS);
  }

  /** Compares in constant time; a hash that cannot be read is a mismatch. */
  verify(stored: string, password: string): Promise<boolean> {
    return verify(stored, password).catch(() => false);
  }

  /** Whether the hash was made with other parameters than hash() uses now. */
  needsRehash(stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = PARAMETERS;
    return !stored.startsWith(`$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`);
  }
}
