import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Response } from 'supertest';
import { BrowserSessionService } from '../src/oauth/browser/browser-session.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { type Service, startService } from './service.js';
import { answerOf, CALLBACK, formOf, REQUEST, titleOf, VERIFIER, Visitor } from './visitor.js';

const COOKIE = '__Host-auth_session';
const AFTER = 'https://app.example.com/signed-out';
const PAYLOADS = [
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '</style><script>alert(1)</script>',
  '<%= 12345 * 54321 %>',
];

describe('the pages', () => {
  let service: Service;
  let visitor: Visitor;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false } });
    await service.client({
      id: 'app',
      name: 'The <b>App</b> & "Co"',
      first_party: true,
      post_logout_redirect_uris: [AFTER, `${AFTER}?x=1`],
    });
    await service.client({ id: 'third', name: '"><script>alert(1)</script>' });
    sub = await service.user('ada', 'correct horse');
    await service.user('bob', 'battery staple');
  });
  afterAll(() => service.close());
  beforeEach(() => {
    visitor = new Visitor(service.url);
    service.clock.advance(400); // budgets are whole again
  });

  const signedIn = async (by = visitor) => by.signIn(await by.authorize());
  const isSignedIn = async (by = visitor) => {
    const { headers } = await by.get('/oauth2/authorize', { ...REQUEST, prompt: 'none' });
    return new URL(headers['location']!).searchParams.has('code');
  };
  const tokens = async (response: Response) =>
    (
      await service.token({
        client_id: 'app',
        grant_type: 'authorization_code',
        code: answerOf(response)['code'],
        redirect_uri: CALLBACK,
        code_verifier: VERIFIER,
      })
    ).body;

  describe('headers', () => {
    it.each<[string, () => Promise<Response>]>([
      ['sign-in', () => visitor.authorize()],
      ['consent', async () => visitor.signIn(await visitor.authorize({ client_id: 'third' }))],
      ['device', async () => (await signedIn(), visitor.get('/device'))],
      ['sign-out', async () => (await signedIn(), visitor.get('/oauth2/logout'))],
      ['signed-out', () => visitor.get('/oauth2/logout')],
      ['error', () => visitor.get('/oauth2/authorize')],
    ])('of %s keep it out of frames, caches, referrers and scripts (RFC 9700 §4.16)', async (_, open) => {
      const { headers, text } = await open();
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'content-language': 'en',
      });
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'self' 'sha256-[^']+'; img-src 'self'; form-action 'self'( https:\/\/app\.example\.com)?; frame-ancestors 'none'; base-uri 'none'$/,
      );
      expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(text).not.toMatch(/<script|\son\w+=|style="/);
    });

    it('speak Chinese where the browser asks for it', async () => {
      visitor.headers = { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' };
      const { headers, text } = await visitor.authorize();
      expect(headers['content-language']).toBe('zh-CN');
      expect(text).toContain('<html lang="zh-CN">');
      expect(text).toContain('用户名');
      expect((await visitor.get('/oauth2/authorize')).text).toContain('缺少必填参数。');
    });
  });

  describe('what is reflected is text, never markup', () => {
    it.each(PAYLOADS)('%s', async (payload) => {
      const signIn = await visitor.authorize({
        client_id: 'third',
        login_hint: payload,
        state: payload,
        nonce: payload,
      });
      clean(signIn, payload);
      clean(await visitor.submit(signIn, { username: payload, password: 'x' }), payload);
      clean(await visitor.signIn(signIn), payload);
      clean(await visitor.get('/oauth2/authorize', { client_id: payload, redirect_uri: payload }), payload);
      clean(await visitor.get('/oauth2/authorize/continue', { ticket: payload }), payload);
      clean(await visitor.get('/oauth2/logout', { post_logout_redirect_uri: payload, state: payload }), payload);
      clean(await visitor.get('/device', { user_code: payload }), payload);
      clean(
        await visitor.authorize({ client_id: 'third', response_mode: 'form_post', state: payload, prompt: 'none' }),
        payload,
      );
    });

    it('the name of a client, too', async () => {
      expect((await visitor.authorize()).text).toContain('The &lt;b&gt;App&lt;/b&gt; &amp; &quot;Co&quot;');
    });

    function clean({ text }: Response, payload: string) {
      expect(text).not.toContain(payload);
      expect(text).not.toMatch(/<script>alert|<img|670592745/);
    }
  });

  describe('the cookie', () => {
    it('is __Host-, Secure, HttpOnly, SameSite=Lax and for the whole host (RFC 6265bis §4.1.3.2)', async () => {
      const before = await visitor.get((await visitor.get('/oauth2/authorize', REQUEST)).headers['location']!);
      const after = await visitor.post(formOf(before).action, {
        ...formOf(before).fields,
        username: 'ada',
        password: 'correct horse',
      });
      expect(after.headers['set-cookie']).toEqual([
        expect.stringMatching(
          /^__Host-auth_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=1209600$/,
        ),
        expect.stringMatching(
          /^__Host-auth_known=[\w-]{22}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=34560000$/,
        ),
      ]);
    });

    it('is a plain one where the issuer is http', async () => {
      const plain = await startService({ auth: { issuer: 'http://localhost:3000' } });
      await plain.client({ id: 'app' });
      const { headers } = await new Visitor(plain.url).get('/oauth2/authorize', REQUEST);
      expect(headers['set-cookie']).toEqual([
        expect.stringMatching(/^auth_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);
      await plain.close();
    });

    it('changes at the sign-in, so that one planted before is worth nothing (session fixation)', async () => {
      const page = await visitor.authorize();
      const planted = new Visitor(service.url);
      planted.cookies.set(COOKIE, visitor.cookies.get(COOKIE)!);
      await visitor.signIn(page);
      expect(visitor.cookies.get(COOKIE)).not.toBe(planted.cookies.get(COOKIE));
      expect([await isSignedIn(), await isSignedIn(planted)]).toEqual([true, false]);
    });

    it('changes at a second sign-in too, and the first one is worth nothing', async () => {
      await signedIn();
      const old = new Visitor(service.url);
      old.cookies.set(COOKIE, visitor.cookies.get(COOKIE)!);
      service.clock.advance(1);
      await visitor.signIn(await visitor.authorize({ prompt: 'login' }));
      expect([await isSignedIn(), await isSignedIn(old)]).toEqual([true, false]);
    });

    it('is not stored in the clear', async () => {
      await signedIn();
      const rows = JSON.stringify(await service.sql('SELECT * FROM auth_browser_session'));
      expect(rows).not.toContain(visitor.cookies.get(COOKIE));
    });

    it.each(['', 'x', 'A'.repeat(43), 'A'.repeat(5000), "' OR 1=1 --"])(
      'that is not ours signs nobody in: %j',
      async (value) => {
        visitor.cookies.set(COOKIE, encodeURIComponent(value));
        expect(await isSignedIn()).toBe(false);
      },
    );

    it('runs out when it is idle, and a used one at the end of its life', async () => {
      await signedIn();
      service.clock.advance(86_399);
      expect(await isSignedIn()).toBe(true);
      service.clock.advance(86_400);
      expect(await isSignedIn()).toBe(false);
      await signedIn();
      for (let day = 0; day < 14; day++) {
        expect([day, await isSignedIn()]).toEqual([day, true]);
        service.clock.advance(86_399);
      }
      service.clock.advance(14);
      expect(await isSignedIn()).toBe(false);
    });

    it('ends with a password change, with disabling, and with endAll', async () => {
      const users = service.app.get(UserService);
      const end: (() => Promise<unknown>)[] = [
        () => users.setPassword(sub, 'correct horse'),
        async () => (await users.setDisabled(sub, true), users.setDisabled(sub, false)),
        () => service.app.get(BrowserSessionService).endAll(sub),
      ];
      for (const how of end) {
        await signedIn();
        service.clock.advance(1);
        expect(await isSignedIn()).toBe(true);
        await how();
        expect(await isSignedIn()).toBe(false);
      }
    });

    it('of somebody else signs the former user out, sessions and all', async () => {
      const { refresh_token } = await tokens(await signedIn());
      service.clock.advance(1);
      await visitor.signIn(await visitor.authorize({ prompt: 'login' }), 'bob', 'battery staple');
      const { body } = await service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
      expect(body).toMatchObject({ error: 'invalid_grant' });
    });
  });

  describe('forms come from here (CSRF, RFC 9700 §4.7)', () => {
    it.each<[string, (csrf: string) => string | string[] | undefined]>([
      ['no token', () => undefined],
      ['an empty token', () => ''],
      ['a wrong token', (csrf) => `${csrf.slice(1)}x`],
      ['a shorter token', (csrf) => csrf.slice(1)],
      ['two tokens', (csrf) => [csrf, csrf]],
    ])('refuses %s', async (_, change) => {
      const page = await visitor.authorize();
      notOurs(
        await visitor.submit(page, {
          csrf: change(formOf(page).fields['csrf']!),
          username: 'ada',
          password: 'correct horse',
        }),
      );
      expect(await isSignedIn()).toBe(false);
    });

    it("refuses another browser's token, and one without a cookie", async () => {
      const page = await visitor.authorize();
      const other = new Visitor(service.url);
      notOurs(await other.signIn(page)); // no cookie
      const fields = formOf(await other.authorize()).fields;
      notOurs(await visitor.submit(page, { csrf: fields['csrf'], username: 'ada', password: 'correct horse' }));
    });

    it('does nothing by a form that was drawn before somebody else signed in, and asks them', async () => {
      await signedIn();
      const consent = await visitor.authorize({ prompt: 'consent' });
      service.clock.advance(1);
      await visitor.signIn(await visitor.authorize({ prompt: 'login' }), 'bob', 'battery staple');
      const page = await visitor.submit(consent, { decision: 'allow' });
      expect([page.status, titleOf(page)]).toEqual([200, 'Allow access?']);
      expect(page.text).toContain('Signed in as bob');
    });

    it.each<[string, Record<string, string>, boolean]>([
      ['our own page', { 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
      ['our own page, in an old browser', { origin: 'https://auth.example.com' }, true],
      ['our own page, in an old browser that obeys no-referrer', { origin: 'null' }, true],
      ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
      ['another host of the site', { 'sec-fetch-site': 'same-site', origin: 'https://evil.auth.example.com' }, false],
      ['a page without an origin, elsewhere', { 'sec-fetch-site': 'cross-site', origin: 'null' }, false],
      ['another site, in an old browser', { origin: 'https://evil.example' }, false],
      ['http', { origin: 'http://auth.example.com' }, false],
    ])('by what the browser says: from %s', async (_, headers, fine) => {
      const page = await visitor.authorize();
      visitor.headers = headers;
      const response = await visitor.signIn(page);
      if (fine) expect(answerOf(response)).toHaveProperty('code');
      else notOurs(response);
    });

    it.each(['/device', '/device/sign-in', '/device/answer'])('%s too', async (path) => {
      await signedIn();
      notOurs(
        await visitor.post(path, {
          user_code: 'AAAA-AAAA',
          decision: 'allow',
          username: 'ada',
          password: 'correct horse',
        }),
      );
    });

    it('the consent and the sign-out form too', async () => {
      await signedIn();
      const consent = await visitor.authorize({ prompt: 'consent' });
      notOurs(await visitor.submit(consent, { csrf: 'x', decision: 'allow' }));
      notOurs(await visitor.submit(await visitor.get('/oauth2/logout'), { csrf: 'x' }));
      expect(await isSignedIn()).toBe(true);
    });

    function notOurs(response: Response) {
      expect([response.status, titleOf(response)]).toEqual([403, 'This did not work']);
    }
  });

  describe('the sign-in form', () => {
    it('answers a wrong password and an unknown user alike', async () => {
      const answers: Response[] = [];
      for (const [username, password] of [
        ['ada', 'wrong'],
        ['nobody', 'wrong'],
        ['ada', undefined],
        ['ada', 'x'.repeat(1025)],
      ] as const) {
        answers.push(await visitor.submit(await visitor.authorize(), { username, password }));
      }
      for (const answer of answers) {
        expect([answer.status, titleOf(answer)]).toEqual([400, 'Sign in']);
        expect(answer.text).toContain('role="alert" id="problem">The username or password is wrong.</p>');
      }
      const shape = ({ text }: Response) => text.replace(/value="[^"]*"/g, '');
      expect(shape(answers[1]!)).toBe(shape(answers[0]!));
      expect(answers[0]!.text).not.toContain('wrong"'); // the password is never sent back
    });

    it('goes on after a mistake, with the username as it was typed', async () => {
      const again = await visitor.submit(await visitor.authorize(), { username: ' ADA ', password: 'wrong' });
      expect(again.text).toContain('value=" ADA "');
      expect(answerOf(await visitor.signIn(again, ' ADA '))).toHaveProperty('code');
    });

    it('refuses a disabled user', async () => {
      const id = await service.user('eve', 'shoulder surf');
      await service.app.get(UserService).setDisabled(id, true);
      const page = await visitor.signIn(await visitor.authorize(), 'eve', 'shoulder surf');
      expect([page.status, titleOf(page)]).toEqual([400, 'Sign in']);
      expect(page.text).toContain('The user is disabled.');
    });

    it("spends the account's budget, the same as at the token endpoint, and shows 429 as a page", async () => {
      await service.user('tina', 'right');
      for (let i = 0; i < 5; i++) {
        await service.token({ client_id: 'app', grant_type: 'password', username: 'tina', password: 'wrong' });
        await visitor.signIn(await visitor.authorize(), ' TINA', 'wrong');
      }
      const page = await visitor.signIn(await visitor.authorize(), 'tina', 'right');
      expect([page.status, titleOf(page), page.headers['retry-after']]).toEqual([429, 'This did not work', '30']);
      expect(page.text).toContain('Too many attempts for this account; try again later.');
      const { status } = await service.token({
        client_id: 'app',
        grant_type: 'password',
        username: 'tina',
        password: 'right',
      });
      expect(status).toBe(429);
      expect(answerOf(await signedIn())).toHaveProperty('code'); // ada's own is untouched
    });

    it("spends the address's budget", async () => {
      const limited = await startService({ auth: { limitIp: { requests: 3, seconds: 60 } } });
      await limited.client({ id: 'app' });
      const someone = new Visitor(limited.url);
      const page = await someone.authorize();
      await someone.signIn(page);
      expect((await someone.signIn(page)).status).toBe(429);
      await limited.close();
    });

    it('writes no password, cookie or ticket to the log', async () => {
      await signedIn();
      const log = JSON.stringify(service.log);
      for (const secret of ['correct horse', visitor.cookies.get(COOKIE)!, 'ticket='])
        expect(log).not.toContain(secret);
      expect(service.log).toContainEqual(expect.objectContaining({ event: 'browser_sign_in', sub }));
    });
  });

  describe('/device (RFC 8628 §3.3)', () => {
    const start = async (clientId = 'third') =>
      service.app.get(DeviceAuthorizationService).start((await service.app.get(ClientService).load(clientId))!.client);
    const poll = (device_code: string) =>
      service.token({ client_id: 'third', grant_type: 'device_code', device_code }).then(({ body }) => body);

    it('connects a device: sign in, type the code, agree', async () => {
      const device = await start();
      const entry = await visitor.signIn(await visitor.get('/device'));
      expect(titleOf(entry)).toBe('Connect a device');
      const typed = device.user_code.toLowerCase().replace('-', ' ');
      const confirm = await visitor.submit(entry, { user_code: typed });
      expect(titleOf(confirm)).toBe('Connect this device?');
      expect(confirm.text).toContain(device.user_code);
      const done = await visitor.submit(confirm, { decision: 'allow' });
      expect([done.status, titleOf(done)]).toEqual([200, 'Device connected']);
      expect(await poll(device.device_code)).toMatchObject({ sub, scope: 'openid profile' });
    });

    it('has a code of the link confirmed all the same (§5.4)', async () => {
      const { user_code, device_code } = await start();
      await signedIn();
      const entry = await visitor.get('/device', { user_code });
      expect(entry.text).toContain(`value="${user_code}"`);
      expect(entry.text).toContain('Is this the code that your device shows?');
      expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });
      expect(titleOf(await visitor.submit(entry, { user_code }))).toBe('Connect this device?');
    });

    it('keeps the code of the link over the sign-in', async () => {
      const { user_code } = await start();
      const entry = await visitor.signIn(await visitor.get('/device', { user_code }));
      expect(entry.text).toContain(`value="${user_code}"`);
    });

    it('denies', async () => {
      const { user_code, device_code } = await start();
      const entry = await visitor.signIn(await visitor.get('/device'));
      const done = await visitor.submit(await visitor.submit(entry, { user_code }), { decision: 'deny' });
      expect(titleOf(done)).toBe('Device not connected');
      expect(await poll(device_code)).toMatchObject({ error: 'access_denied' });
    });

    it.each<[string, (code: string) => string | undefined]>([
      ['unknown', () => 'AAAA-AAAA'],
      ['missing', () => undefined],
      ['of other characters', () => 'ÄÖÜ%'],
      ['too long', () => 'A'.repeat(33)],
      ['expired', (code) => (service.clock.advance(600), code)],
    ])('says so where the code is %s', async (_, change) => {
      const { user_code } = await start();
      const entry = await visitor.signIn(await visitor.get('/device'));
      const again = await visitor.submit(entry, { user_code: change(user_code) });
      expect([again.status, titleOf(again)]).toEqual([400, 'Connect a device']);
      expect(again.text).toContain('role="alert"');
    });

    it('limits tries of codes, and never takes an answer twice', async () => {
      const { user_code } = await start();
      const entry = await visitor.signIn(await visitor.get('/device'));
      const confirm = await visitor.submit(entry, { user_code });
      await visitor.submit(confirm, { decision: 'allow' });
      expect((await visitor.submit(confirm, { decision: 'deny' })).status).toBe(400);
      // whatever else is in the form
      const guess = { user_code: 'AAAA-AAAA', username: 'somebody' };
      for (let i = 0; i < 9; i++) expect((await visitor.submit(entry, guess)).status).toBe(400);
      const limited = await visitor.submit(entry, guess);
      expect([limited.status, titleOf(limited)]).toEqual([429, 'This did not work']);
    });

    it('sends a browser whose sign-in ran out back to the start', async () => {
      const entry = await visitor.signIn(await visitor.get('/device'));
      service.clock.advance(86_401);
      expect(titleOf(await visitor.submit(entry, { user_code: 'AAAA-AAAA' }))).toBe('Sign in');
    });
  });

  describe('/oauth2/logout (OpenID Connect RP-Initiated Logout 1.0)', () => {
    const refresh = (refresh_token: string) =>
      service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });

    it('asks without a hint, and then ends the sign-in, its codes and its sessions', async () => {
      const { refresh_token } = await tokens(await signedIn());
      const unused = await visitor.authorize();
      const elsewhere = new Visitor(service.url);
      const { refresh_token: other } = await tokens(await signedIn(elsewhere));
      const page = await visitor.get('/oauth2/logout');
      expect([page.status, titleOf(page)]).toEqual([200, 'Sign out?']);
      expect(await isSignedIn()).toBe(true);
      const done = await visitor.submit(page);
      expect([done.status, titleOf(done)]).toEqual([200, 'You are signed out']);
      expect([...visitor.cookies.keys()]).toEqual(['__Host-auth_known']);
      expect(await isSignedIn()).toBe(false);
      expect((await refresh(refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
      expect(await tokens(unused)).toMatchObject({ error: 'invalid_grant' });
      expect(await isSignedIn(elsewhere)).toBe(true);
      expect((await refresh(other)).status).toBe(200);
    });

    it('with the hint of the very user signs out at once and goes back, with state (§2, §3)', async () => {
      const { id_token } = await tokens(await signedIn());
      service.clock.advance(10_000); // it may have expired
      const query = { id_token_hint: id_token, post_logout_redirect_uri: `${AFTER}?x=1`, state: 's&1' };
      const { status, headers } = await visitor.get('/oauth2/logout', query);
      expect([status, headers['location']]).toEqual([303, `${AFTER}?x=1&state=s%261`]);
      expect(await isSignedIn()).toBe(false);
    });

    it('by POST too, whose cookie comes back with the redirect', async () => {
      const { id_token } = await tokens(await signedIn());
      const { headers } = await new Visitor(service.url).post('/oauth2/logout', {
        id_token_hint: id_token,
        post_logout_redirect_uri: AFTER,
      });
      expect((await visitor.get(headers['location']!)).headers['location']).toBe(AFTER);
      expect(await isSignedIn()).toBe(false);
    });

    it('asks where the hint is about somebody else, or forged', async () => {
      const { id_token, access_token } = await tokens(await signedIn());
      const other = new Visitor(service.url);
      await other.signIn(await other.authorize(), 'bob', 'battery staple');
      expect(titleOf(await other.get('/oauth2/logout', { id_token_hint: id_token }))).toBe('Sign out?');
      for (const hint of [access_token, 'x', `${id_token.slice(0, -4)}AAAA`]) {
        expect(titleOf(await visitor.get('/oauth2/logout', { id_token_hint: hint }))).toBe('Sign out?');
      }
    });

    it('goes back after asking, where the client is named and the URI is its own', async () => {
      await signedIn();
      const page = await visitor.get('/oauth2/logout', { client_id: 'app', post_logout_redirect_uri: AFTER });
      expect((await visitor.submit(page)).headers['location']).toBe(AFTER);
    });

    it.each<[string, Record<string, string>]>([
      ['an unregistered URI', { client_id: 'app', post_logout_redirect_uri: 'https://evil.example/' }],
      ['a registered one with more', { client_id: 'app', post_logout_redirect_uri: `${AFTER}/` }],
      ['a redirect_uri', { client_id: 'app', post_logout_redirect_uri: CALLBACK }],
      ["another client's", { client_id: 'third', post_logout_redirect_uri: AFTER }],
      ['no client', { post_logout_redirect_uri: AFTER }],
      ['an unknown client', { client_id: 'nobody', post_logout_redirect_uri: AFTER }],
      ['any, by a state that is too long', { client_id: 'third', state: 's'.repeat(3000) }],
    ])('never goes to %s, but signs out all the same (§3, §4)', async (_, query) => {
      await signedIn();
      const page = await visitor.get('/oauth2/logout', query);
      expect([titleOf(page), page.headers['location'], await isSignedIn()]).toEqual(['Sign out?', undefined, true]);
      const done = await visitor.submit(page);
      expect([titleOf(done), done.headers['location']]).toEqual(['You are signed out', undefined]);
      expect(await isSignedIn()).toBe(false);
    });

    it('by a good hint signs out at once, whatever the URI, and stays (§3)', async () => {
      const { id_token } = await tokens(await signedIn());
      const query = { id_token_hint: id_token, post_logout_redirect_uri: 'https://evil.example/' };
      const page = await visitor.get('/oauth2/logout', query);
      expect([titleOf(page), await isSignedIn()]).toEqual(['You are signed out', false]);
    });

    it('takes no hint whose client_id is another (§2), and asks', async () => {
      const { id_token } = await tokens(await signedIn());
      const query = { id_token_hint: id_token, client_id: 'third', post_logout_redirect_uri: AFTER };
      const page = await visitor.get('/oauth2/logout', query);
      expect([titleOf(page), await isSignedIn()]).toEqual(['Sign out?', true]);
      expect(titleOf(await visitor.submit(page))).toBe('You are signed out');
    });

    it('leaves what other browsers and apps opened', async () => {
      await signedIn();
      const { body } = await service.token({
        client_id: 'app',
        grant_type: 'password',
        username: 'ada',
        password: 'correct horse',
      });
      await visitor.submit(await visitor.get('/oauth2/logout'));
      expect((await refresh(body.refresh_token)).status).toBe(200);
      expect((await service.app.get(SessionService).list(sub)).length).toBeGreaterThan(0);
    });
  });

  it('are drawn from templates of the host where it has its own, and from ours elsewhere', async () => {
    const templates = mkdtempSync(join(tmpdir(), 'templates-'));
    writeFileSync(join(templates, 'error.eta'), '<p class="own"><%= it.problem %></p>');
    writeFileSync(join(templates, 'style.css'), 'body { color: red }');
    const own = await startService({ auth: { templates } });
    await own.client({ id: 'app' });
    const someone = new Visitor(own.url);
    expect((await someone.get('/oauth2/authorize')).text).toBe('<p class="own">A required parameter is missing.</p>');
    expect((await someone.authorize()).text).toContain('<style>body { color: red }</style>');
    await own.close();
  });
});
