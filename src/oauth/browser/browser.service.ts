import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { generateSecret, purpose, sameHash, ServiceSecret } from '../../base/crypto/service-secret.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { BrowserSession } from './browser-session.entity.js';
import { originOf } from '../../base/http/origin.js';
import { endedBy } from '../../core/sessions/ending.js';
import { BrowserSessionService, type NewBrowserSession } from './browser-session.service.js';

/** A page with a form is good for as long as the request that it belongs to. */
const FORM_LIFE = 90_000_000;
const CSRF = purpose('csrf', FORM_LIFE);
const FORM = purpose('form', FORM_LIFE);
/** Of a browser that it does not understand the service only forgets that it knew it. */
const KNOWN = purpose('known-browser');

/** How long a page must have been there before its decision counts, in milliseconds: longer than any double click. */
const FIRST_MOMENT = 700;
/** How far the clocks of two nodes may be apart, in milliseconds; a page from further ahead is not held back for ever. */
const CLOCK_SKEW = 2000;

/** How long a browser is remembered by the user who signed in with it, in seconds: the most that browsers keep. */
const KNOWN_FOR = 34_560_000;

/** Who asks for a page: a browser, and the user who is signed in with it, if there is one. */
export interface Browser {
  session?: BrowserSession;
  /** Keyed hashes of its cookie, for its forms; the first one is for those that are drawn now. */
  keys: string[];
  /** What a form that is drawn now must carry (see BrowserService.checkForm). */
  csrf: string;
}

/** For which browser a form was drawn (the key), and when, in milliseconds since the Unix epoch. */
type DrawnForm = [key: string, at: number];

/** Longest form token that we would look at, in characters. */
const MAX_CSRF = 256;
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
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * The browser of a request; a new one gets its cookie with the page. A form without one gets none: it may come from
   * another site, whose POST the browser sends without the cookie that it has (SameSite=Lax), and whose answer would
   * replace that and sign the user out.
   */
  async of(http: HttpExchange): Promise<Browser> {
    const kept = cookieOf(http, this.name);
    const sent = kept !== undefined && COOKIE.test(kept) ? kept : undefined;
    const cookie = sent ?? generateSecret();
    if (sent === undefined && http.method !== 'POST') this.setCookie(http, this.name, cookie);
    const keys = this.secret.hashes(CSRF, cookie);
    return {
      keys,
      csrf: this.secret.seal(FORM, Buffer.from(JSON.stringify([keys[0]!, this.clock.now()] satisfies DrawnForm))),
      ...(sent !== undefined && { session: await this.sessions.find(sent) }),
    };
  }

  /** Signs the browser in, under a new cookie. */
  async signIn(http: HttpExchange, { session }: Browser, who: NewBrowserSession): Promise<void> {
    this.setCookie(http, this.name, await this.sessions.open(who, session), this.options.browserSessionTtl);
    const nonce = randomBytes(16).toString('base64url');
    this.setCookie(http, this.knownName, `${nonce}.${this.secret.hash(KNOWN, said(nonce, who.sub))}`, KNOWN_FOR);
  }

  /** The name of this browser, if it was this user who last signed in with it, however long ago. */
  knownBy(http: HttpExchange, sub: string): string | undefined {
    const [nonce = '', proof = ''] = (cookieOf(http, this.knownName) ?? '').split('.');
    const proofs = this.secret.hashes(KNOWN, said(nonce, sub));
    return proofs.some((ours) => sameHash(proof, ours)) ? `browser ${nonce}` : undefined;
  }

  async signOut(http: HttpExchange, { session }: Browser): Promise<void> {
    if (session) await this.sessions.end(session.id, endedBy('user', 'SIGNED_OUT', originOf(http)));
    if (cookieOf(http, this.name) !== undefined) this.setCookie(http, this.name, '', 0);
  }

  /**
   * Makes sure that a form was sent from a page of ours, by this browser. The token is bound to the cookie, which no
   * other site can read or (by its prefix) set; the headers, where the browser sends them, say the same once more.
   * `Origin: null` is what our own forms send, for their pages ask for `no-referrer` (Fetch §3.2).
   * @returns false where the page was drawn for another cookie than the one that the browser is signed in with now, as
   *   in a second tab: nothing of what the form says may be done, and whoever is signed in is led on by a GET
   * @throws AuthError permission_denied
   */
  checkForm(http: HttpExchange, browser: Browser): boolean {
    return browser.keys.includes(this.drawn(http, browser)[0]);
  }

  /**
   * The same for a form that decides something. What comes in the first moment after its page was drawn is the second
   * half of a double click on the page before, and no decision.
   * @returns false where the question has to be asked again
   * @throws AuthError permission_denied
   */
  checkDecision(http: HttpExchange, browser: Browser): boolean {
    const [key, drawnAt] = this.drawn(http, browser);
    const age = this.clock.now() - drawnAt;
    return browser.keys.includes(key) && (age >= FIRST_MOMENT || age < -CLOCK_SKEW);
  }

  /** A form that is this browser's, or may have been before its cookie changed. */
  private drawn(http: HttpExchange, { keys, session }: Browser): DrawnForm {
    const origin = http.header('origin');
    const site = http.header('sec-fetch-site');
    const fromHere =
      site === undefined
        ? origin === undefined || origin === 'null' || origin === new URL(this.options.issuer).origin
        : site === 'same-origin';
    const form = this.open(http.parameters.peek('csrf') ?? '');
    const isOwn = form !== undefined && keys.some((key) => sameHash(form[0], key));
    if (fromHere && form && (isOwn || session)) return form;
    throw new AuthError('permission_denied', { reason: 'FORM_NOT_OURS' });
  }

  private open(csrf: string): DrawnForm | undefined {
    try {
      return csrf.length > MAX_CSRF ? undefined : (JSON.parse(this.secret.open(FORM, csrf).toString()) as DrawnForm);
    } catch {
      return undefined;
    }
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

function said(nonce: string, sub: string): string {
  return `${nonce} ${sub}`;
}

function cookieOf(http: HttpExchange, name: string): string | undefined {
  const pairs = (http.header('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
