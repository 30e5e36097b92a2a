import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { SessionService } from '../../src/core/sessions/session.service.js';
import { type Service, startService } from '../service.js';
import { browserBundle } from './browser-bundle.js';
import { FIRST_PARTY_GRANTS } from './sdk.js';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
if (BROWSER === undefined) console.warn('skipped: no Chromium found in /usr/bin for the test in a browser');

/** What the page sees of an app of the SDK. */
interface App {
  auth(): Record<string, (parameters?: unknown) => Promise<{ data: Record<string, unknown>; error: unknown }>>;
  registerHost(host: string, protocol: string): void;
}
declare const cloudbase: { init(options: object): App };
declare const app: App;

(BROWSER === undefined ? describe.skip : describe)('@cloudbase/js-sdk on a page of another origin', () => {
  let service: Service;
  let pages: Server;
  let browser: Browser;
  let page: Page;
  let sub: string;
  /** What the browser sent to the service: method and path, status. */
  const sent: string[] = [];

  beforeAll(async () => {
    const sdk = resolve(__dirname, '../../node_modules/@cloudbase/js-sdk/dist/index.cjs.js');
    const script = browserBundle(sdk, 'cloudbase');
    pages = createServer((asked, answer) => {
      const isScript = asked.url === '/sdk.js';
      answer.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
      answer.end(isScript ? script : '<!doctype html><title>app</title><script src="/sdk.js"></script>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    service = await startService({ settings: { corsOrigins: [origin] } });
    // expires_in − 30 s is now: the SDK refreshes before every call
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS, access_token_ttl: 30 });
    sub = await service.user('ada', 'correct horse');
    browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
    page = await browser.newPage();
    page.on('response', (response) => {
      const { pathname, host } = new URL(response.url());
      if (host === new URL(service.url).host && response.request().method() !== 'OPTIONS') {
        sent.push(`${response.request().method()} ${pathname} ${response.status()}`);
      }
    });
    await page.goto(origin);
    await page.evaluate((host) => {
      const made = cloudbase.init({ env: 'app', clientId: 'app' });
      made.registerHost(host, 'http');
      Object.assign(globalThis, { app: made });
    }, new URL(service.url).host);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    pages?.close();
  });

  it('signs in, refreshes, changes a profile and a password, and signs out', async () => {
    const results = await page.evaluate(async () => {
      const auth = app.auth();
      const signedIn = await auth['signInWithPassword']!({ username: 'ada', password: 'correct horse' });
      const refreshed = await auth['refreshSession']!();
      const user = (await auth['getUser']!()).data['user'];
      const edited = await auth['updateUser']!({ nickname: 'Ada' });
      const changed = await auth['resetPasswordForOld']!({
        old_password: 'correct horse',
        new_password: 'battery staple',
      });
      const signedOut = await auth['signOut']!();
      const after = await auth['getSession']!();
      const errors = [signedIn, refreshed, edited, changed, signedOut].map(({ error }) => error);
      return { errors, user: user as { id: string }, after: after.data['session'] };
    });
    expect(results.errors).toEqual([null, null, null, null, null]);
    expect(results.user.id).toBe(sub);
    expect(results.after).toBeFalsy();
    expect(sent).toEqual(
      expect.arrayContaining([
        'POST /auth/v1/signin 200',
        'POST /auth/v1/token 200',
        'GET /auth/v1/user/me 200',
        'POST /auth/v1/user/basic/edit 200',
        'PATCH /auth/v1/user/password 200',
        'POST /auth/v1/revoke 200',
      ]),
    );
    const sessions = await service.app.get(SessionService).list(sub);
    expect(sessions.every(({ revoked_at }) => revoked_at !== null)).toBe(true);
  }, 60_000);

  it('reads why a sign-in failed', async () => {
    const status = await page.evaluate(async () => {
      const { error } = await app.auth()['signInWithPassword']!({ username: 'ada', password: 'wrong' });
      return (error as { status: string }).status;
    });
    expect(status).toBe('invalid_username_or_password');
  });
});
