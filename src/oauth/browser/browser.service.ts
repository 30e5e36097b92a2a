import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { generateSecret, purpose, sameHash, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { BrowserSession } from './browser-session.entity.js';
import { BrowserSessionService } from './browser-session.service.js';

const CSRF = purpose('csrf');
const KNOWN = purpose('known-browser');

/** How long a browser is remembered by the user who signed in with it, in seconds: the most that browsers keep. */
const KNOWN_FOR = 34_560_000;

/** Who asks for a page: a browser, and the user who is signed in with it, if there is one. */
export interface Browser {
  session?: BrowserSession;
  /** What its forms must carry (see BrowserService.checkForm). */
  csrf: string;
}

const COOKIE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Knows browsers by one cookie of 256 random bits: from the first page on for the forms, from the sign-in on for the
 * user, and under a new value from then, so that a cookie planted before is worth nothing (session fixation). A second
 * one, which outlives signing out, proves nothing but that the user has been here before (Attempts).
 */
@Injectable()
export class BrowserService {
  /** RFC 6265bis §4.1.3.2: `__Host-` keeps other hosts of the domain from setting it. */
  private readonly name = this.isSecure() ? '__Host-auth_session' : 'auth_session';
  private readonly knownName = this.isSecure() ? '__Host-auth_known' : 'auth_known';

  constructor(
    private readonly sessions: BrowserSessionService,
    private readonly secret: ServiceSecret,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** The browser of a request; a new one gets its cookie with the answer. */
  async of(http: HttpExchange): Promise<Browser> {
    const kept = cookieOf(http, this.name);
    const sent = kept !== undefined && COOKIE.test(kept) ? kept : undefined;
    const cookie = sent ?? generateSecret();
    if (sent === undefined) this.setCookie(http, this.name, cookie);
    return {
      csrf: this.secret.hash(CSRF, cookie),
      ...(sent !== undefined && { session: await this.sessions.find(sent) }),
    };
  }

  /** Signs the browser in, under a new cookie. */
  async signIn(
    http: HttpExchange,
    { session }: Browser,
    who: Pick<BrowserSession, 'sub' | 'username' | 'authenticated_at'>,
  ): Promise<void> {
    this.setCookie(http, this.name, await this.sessions.open(who, session), this.options.browserSessionTtl);
    const nonce = randomBytes(16).toString('base64url');
    this.setCookie(http, this.knownName, `${nonce}.${this.proof(nonce, who.sub)}`, KNOWN_FOR);
  }

  /** The name of this browser, if it was this user who last signed in with it, however long ago. */
  knownBy(http: HttpExchange, sub: string): string | undefined {
    const [nonce = '', proof = ''] = (cookieOf(http, this.knownName) ?? '').split('.');
    return sameHash(proof, this.proof(nonce, sub)) ? `browser ${nonce}` : undefined;
  }

  async signOut(http: HttpExchange, { session }: Browser): Promise<void> {
    if (session) await this.sessions.end(session.id);
    this.setCookie(http, this.name, '', 0);
  }

  /**
   * Makes sure that a form was sent from a page of ours, by this browser. The token is bound to the cookie, which no
   * other site can read or (by its prefix) set; the headers, where the browser sends them, say the same once more.
   * `Origin: null` is what our own forms send, for their pages ask for `no-referrer` (Fetch §3.2).
   * @throws AuthError permission_denied
   */
  checkForm(http: HttpExchange, { csrf }: Browser): void {
    const origin = http.header('origin');
    const site = http.header('sec-fetch-site');
    const fromHere =
      site === undefined
        ? origin === undefined || origin === 'null' || origin === new URL(this.options.issuer).origin
        : site === 'same-origin';
    if (!fromHere || !sameHash(http.parameters.peek('csrf') ?? '', csrf)) {
      throw new AuthError('permission_denied', { reason: 'FORM_NOT_OURS' });
    }
  }

  private proof(nonce: string, sub: string): string {
    return this.secret.hash(KNOWN, `${nonce} ${sub}`);
  }

  private setCookie(http: HttpExchange, name: string, value: string, maxAge?: number): void {
    const attributes = ['Path=/', 'HttpOnly', 'SameSite=Lax'];
    if (this.isSecure()) attributes.push('Secure');
    if (maxAge !== undefined) attributes.push(`Max-Age=${maxAge}`);
    http.appendHeader('Set-Cookie', `${name}=${value}; ${attributes.join('; ')}`);
  }

  private isSecure(): boolean {
    return this.options.issuer.startsWith('https:');
  }
}

function cookieOf(http: HttpExchange, name: string): string | undefined {
  const pairs = (http.header('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
