import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { fetched } from './fetched.js';
import type { IssuerMetadata } from './issuer-metadata.js';
import type { ResourceServerClient } from './resource-server.options.js';

/** Most answers that are kept; about 2 MiB when full. */
const MAX_ANSWERS = 10_000;

/** Asks an issuer whether a token still works (RFC 7662), each once in a few seconds. */
export class Introspector {
  private readonly logger = new Logger('ResourceServer');
  private readonly answers = new LRUCache<string, { active: Promise<boolean>; until: number }>({ max: MAX_ANSWERS });

  /** @param liveFor seconds for which an answer counts */
  constructor(
    private readonly metadata: IssuerMetadata,
    private readonly client: ResourceServerClient | undefined,
    private readonly liveFor: number,
    private readonly clock: Clock,
  ) {}

  /** @throws AuthError unavailable where the issuer gives no answer that could be used */
  isActive(token: string): Promise<boolean> {
    const now = this.clock.monotonic();
    const key = createHash('sha256').update(token).digest('base64url');
    const known = this.answers.get(key);
    if (known && now < known.until) return known.active;
    const active = this.ask(token);
    this.answers.set(key, { active, until: now + this.liveFor * 1000 });
    active.catch(() => this.answers.delete(key)); // a failure says nothing about the token
    return active;
  }

  private async ask(token: string): Promise<boolean> {
    const { client, metadata } = this;
    if (!client) throw new Error(`ResourceServerModule: @RequireLiveSession() needs a client at ${metadata.issuer}`);
    try {
      const { introspection_endpoint } = await metadata.get();
      if (introspection_endpoint === undefined) throw new Error('the issuer has no introspection endpoint');
      const { body } = await fetched(introspection_endpoint, {
        method: 'POST',
        headers: { Authorization: basic(client) },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
      });
      return (body as { active?: unknown } | null)?.active === true;
    } catch (cause) {
      this.logger.warn({ msg: 'could not ask about a session', issuer: metadata.issuer, error: String(cause) });
      throw new AuthError('unavailable', { reason: 'UNAVAILABLE', retryAfter: 1, cause });
    }
  }
}

/** RFC 6749 §2.3.1: each part form-encoded first. */
function basic({ id, secret }: ResourceServerClient): string {
  const encoded = (part: string) => new URLSearchParams([['', part]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`;
}
