import type { Clock } from '../../base/clock.js';
import { fetched } from './fetched.js';

/** Seconds for which metadata counts; it says where things are, and they hardly move. */
const KEPT = 3600;

/** What is read of an issuer's metadata (RFC 8414 §2). */
export interface Metadata {
  jwks_uri: string;
  introspection_endpoint?: string;
}

/** What an issuer says of itself, by discovery. */
export class IssuerMetadata {
  private known?: Metadata;
  private knownSince = -Infinity;

  constructor(
    readonly issuer: string,
    private readonly clock: Clock,
  ) {}

  /** @throws Error where the issuer does not answer, and never did */
  async get(): Promise<Metadata> {
    const now = this.clock.monotonic();
    if (this.known && now - this.knownSince <= KEPT * 1000) return this.known;
    try {
      this.known = await this.discover();
      this.knownSince = now;
    } catch (error) {
      if (!this.known) throw error;
    }
    return this.known;
  }

  /** OpenID Connect Discovery §4; where that is not there, RFC 8414 §3.1, which has the issuer's path come last. */
  private async discover(): Promise<Metadata> {
    const { origin, pathname } = new URL(this.issuer);
    const path = pathname.replace(/\/$/, '');
    const first = `${origin}${path}/.well-known/openid-configuration`;
    const second = `${origin}/.well-known/oauth-authorization-server${path}`;
    const { body } = await fetched(first).catch((error: unknown) =>
      fetched(second).catch(() => {
        throw error;
      }),
    );
    return this.checked(body);
  }

  private checked(body: unknown): Metadata {
    const { issuer, jwks_uri, introspection_endpoint } = (body ?? {}) as Record<string, unknown>;
    // RFC 8414 §3.3: somebody else's would let somebody else sign
    if (issuer !== this.issuer) throw new Error(`the metadata at ${this.issuer} is of another issuer`);
    if (!this.isUrl(jwks_uri)) throw new Error(`the metadata of ${this.issuer} has no jwks_uri of use`);
    return { jwks_uri, ...(this.isUrl(introspection_endpoint) ? { introspection_endpoint } : {}) };
  }

  /** Of an issuer that is reached safely, all is. */
  private isUrl(value: unknown): value is string {
    if (typeof value !== 'string' || !URL.canParse(value)) return false;
    const { protocol } = new URL(value);
    return protocol === 'https:' || (protocol === 'http:' && new URL(this.issuer).protocol === 'http:');
  }
}
