import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { BrowserSession } from '../browser/browser-session.entity.js';
import { BrowserSessionService } from '../browser/browser-session.service.js';
import type { Browser } from '../browser/browser.service.js';
import { SignInService } from '../browser/sign-in.service.js';
import { TicketService } from '../browser/ticket.service.js';
import type { Client } from '../../core/clients/client.entity.js';
import { Clock } from '../../base/clock.js';
import { AuthError } from '../../base/errors/auth.error.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { localPath } from '../../base/http/local-path.js';
import { IdTokenHintService } from './id-token-hint.service.js';
import { languageOf } from '../../base/http/language.js';
import { type PageSettings, PageService, type SignInPage } from '../pages/page.service.js';
import type { Views } from '../pages/views.js';
import { AuthorizationAnswers, formActionsOf } from './authorization-answers.js';
import { AuthorizationCodeService } from '../../core/codes/authorization-code.service.js';
import { AuthorizationRefusal } from './authorization-refusal.js';
import { AuthorizationRequestService } from './authorization-request.service.js';
import { ConsentService } from './consent.service.js';
import type { PendingAuthorization } from './pending-authorization.js';
import { isRegistered } from '../../core/codes/redirect-uri.js';

/** What a request still waits for; undefined: nothing. */
type Question = 'sign-in' | 'consent' | undefined;

/** One round trip of a browser. */
export interface RoundTrip {
  http: HttpExchange;
  browser: Browser;
}

/** Takes a checked authorization request to its answer: by way of the sign-in page and the consent page, if need be. */
@Injectable()
export class AuthorizationFlow {
  constructor(
    private readonly requests: AuthorizationRequestService,
    private readonly hints: IdTokenHintService,
    private readonly consents: ConsentService,
    private readonly codes: AuthorizationCodeService,
    private readonly browsers: BrowserSessionService,
    private readonly answers: AuthorizationAnswers,
    private readonly signIns: SignInService,
    private readonly tickets: TicketService,
    private readonly pages: PageService,
    private readonly clock: Clock,
    private readonly audit: Audit,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** Answers the client at once where nothing has to be asked; else goes to the page that asks. */
  async start(pending: PendingAuthorization, trip: RoundTrip): Promise<void> {
    const client = await this.clientOf(pending);
    const question = await this.questionOf(pending, client, trip.browser);
    if (question === undefined) return this.issue(pending, client, trip);
    await this.goOn(pending, trip.http);
  }

  /** The same on the way: shows the page that asks. */
  async continue(pending: PendingAuthorization, trip: RoundTrip): Promise<void> {
    const client = await this.clientOf(pending);
    const question = await this.questionOf(pending, client, trip.browser);
    if (question === 'sign-in') await this.signIns.show(this.signInPage(pending, client, trip));
    else if (question === 'consent') await this.showConsent(pending, client, trip);
    else await this.issue(pending, client, trip);
  }

  /** The user's word on the consent page. */
  async decide(pending: PendingAuthorization, allowed: boolean, trip: RoundTrip): Promise<void> {
    const client = await this.clientOf(pending);
    const question = await this.questionOf(pending, client, trip.browser);
    if (question === 'sign-in') return this.goOn(pending, trip.http); // the sign-in ran out meanwhile
    if (!allowed) throw new AuthorizationRefusal(pending, new AuthError('access_denied', { reason: 'ACCESS_DENIED' }));
    const { sub } = trip.browser.session!;
    await this.consents.give(client, sub, pending.scope);
    this.audit.record({
      event: 'consent_given',
      requestId: trip.http.requestId,
      clientId: client.id,
      sub,
    });
    await this.issue(pending, client, trip);
  }

  /** To the next page, by GET: the pages can be reloaded, and a cross-site POST gets its cookie back (SameSite=Lax). */
  async goOn(pending: PendingAuthorization, http: HttpExchange): Promise<void> {
    http.seeOther(await this.continueAt(pending));
  }

  async signInPageOf(pending: PendingAuthorization, trip: RoundTrip): Promise<SignInPage> {
    return this.signInPage(pending, await this.clientOf(pending), trip);
  }

  private signInPage(pending: PendingAuthorization, client: Client, trip: RoundTrip): SignInPage {
    const { http, browser } = trip;
    const view: Views['sign-in'] = {
      action: localPath(this.options, '/oauth2/authorize/sign-in'),
      hidden: { ticket: this.tickets.seal('authorization', pending) },
      client: client.name,
      username: pending.login_hint,
    };
    return [http, 'sign-in', view, this.settings(pending, client, http, browser)];
  }

  private async showConsent(
    pending: PendingAuthorization,
    client: Client,
    { http, browser }: RoundTrip,
  ): Promise<void> {
    const { username } = browser.session!;
    const { protocol, host } = new URL(pending.redirect_uri);
    const view: Views['consent'] = {
      action: localPath(this.options, '/oauth2/authorize/consent'),
      hidden: { ticket: this.tickets.seal('authorization', pending) },
      client: client.name,
      scope: pending.scope,
      username,
      destination: host || protocol,
      switchAccount: await this.continueAt({
        ...pending,
        prompt: [...pending.prompt, 'login'],
        started_at: this.clock.now(),
      }),
    };
    this.pages.send(http, 'consent', view, this.settings(pending, client, http, browser));
  }

  private settings(pending: PendingAuthorization, client: Client, http: HttpExchange, browser: Browser): PageSettings {
    const language = languageOf(http, pending.ui_locales);
    return { csrf: browser.csrf, formAction: formActionsOf(client, pending.redirect_uri), language };
  }

  private async continueAt(pending: PendingAuthorization): Promise<string> {
    const ticket = await this.tickets.forAddress('authorization', pending);
    return localPath(this.options, `/oauth2/authorize/continue?ticket=${ticket}`);
  }

  /** The client as it is now: while the user took their time it may have been disabled, or lost its redirect_uri. */
  private async clientOf({ client_id, redirect_uri }: PendingAuthorization): Promise<Client> {
    const client = await this.requests.clientOf(client_id);
    if (isRegistered(client.redirect_uris, redirect_uri)) return client;
    throw new AuthError('invalid_argument', { reason: 'REDIRECT_URI_UNREGISTERED' });
  }

  private async questionOf(pending: PendingAuthorization, client: Client, { session }: Browser): Promise<Question> {
    const silent = pending.prompt.includes('none');
    const refuse = (reason: 'LOGIN_REQUIRED' | 'CONSENT_REQUIRED') =>
      new AuthorizationRefusal(pending, new AuthError('access_denied', { reason }));
    const isMeant = await this.isHinted(pending, session);
    if (!session || !isMeant || !this.isFresh(pending, session)) {
      // OpenID Connect Core §3.1.2.1: no answer about another user than the hint's, not even after signing in
      const isSomebodyElse = session !== undefined && !isMeant && session.authenticated_at >= pending.started_at;
      if (silent || isSomebodyElse) throw refuse('LOGIN_REQUIRED');
      return 'sign-in';
    }
    if (!(await this.consents.isNeeded(client, session.sub, pending))) return undefined;
    if (silent) throw refuse('CONSENT_REQUIRED');
    return 'consent';
  }

  /** Whether the user is the one of id_token_hint. A hint that cannot be verified counts where nobody can be asked. */
  private async isHinted({ id_token_hint, prompt }: PendingAuthorization, session?: BrowserSession): Promise<boolean> {
    if (id_token_hint === undefined) return true;
    const hint = await this.hints.read(id_token_hint);
    return hint ? hint.sub === session?.sub : !prompt.includes('none');
  }

  /** Whether the sign-in is as young as the request asks. One made for the request always is, however old by now. */
  private isFresh(
    { prompt, max_age, started_at }: PendingAuthorization,
    { authenticated_at }: BrowserSession,
  ): boolean {
    if (authenticated_at >= started_at) return true;
    if (prompt.includes('login') || prompt.includes('select_account')) return false;
    return max_age === undefined || this.clock.now() - authenticated_at <= max_age * 1000;
  }

  private async issue(pending: PendingAuthorization, client: Client, trip: RoundTrip): Promise<void> {
    const { id, sub, authenticated_at, credentials_version } = trip.browser.session!;
    const code = await this.codes.issue({
      clientId: client.id,
      sub,
      redirectUri: pending.redirect_uri,
      scope: pending.scope.length === 0 ? undefined : pending.scope.join(' '),
      codeChallenge: pending.code_challenge,
      nonce: pending.nonce,
      dpopJkt: pending.dpop_jkt,
      browserSessionId: id,
      authenticatedAt: authenticated_at,
      version: credentials_version,
    });
    // a sign-out that was answered since then did not see this code
    if (!(await this.browsers.isThere(id))) await this.codes.expireIssuedFrom(id);
    await this.answers.code(trip.http, pending, code);
  }
}
