import request, { type Response } from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { redeem, signIn, type Tokens } from './fixtures.js';
import { type Service, startService } from './service.js';
import { answerOf, CALLBACK, formOf, REQUEST, titleOf, Visitor } from './visitor.js';

const AFTER = 'https://app.example.com/signed-out';

describe('a question of the pages', () => {
  let service: Service;
  let visitor: Visitor;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app', name: 'The App', post_logout_redirect_uris: [AFTER] });
    await service.client({ id: 'ours', first_party: true });
    await service.client({
      id: 'native',
      first_party: true,
      redirect_uris: ['http://127.0.0.1/callback', 'com.example.app:/callback', CALLBACK],
    });
    const redirect_uris = ['http://127.0.0.1/callback'];
    await service.client({ id: 'backend', public: false, first_party: true, redirect_uris });
    sub = await service.user('ada', 'correct horse');
    await service.user('bob', 'battery staple');
  });
  afterAll(() => service.close());
  beforeEach(() => {
    visitor = new Visitor(service.url);
    service.clock.advance(10);
  });

  const ours = { client_id: 'ours' };
  const signedIn = async (by = visitor, name = 'ada', password = 'correct horse') =>
    by.signIn(await by.authorize(ours), name, password);
  const signInAgain = async () => {
    service.clock.advance(1);
    await visitor.signIn(await visitor.authorize({ ...ours, prompt: 'login' }));
  };
  const isSignedIn = async (by = visitor) =>
    'code' in answerOf(await by.get('/oauth2/authorize', { ...REQUEST, ...ours, prompt: 'none' }));
  const idToken = async (response: Response, client_id = 'ours') =>
    ((await redeem(service, answerOf(response)['code']!, { client_id })).body as Tokens).id_token;
  const devices = () => service.app.get(DeviceAuthorizationService);
  const startDevice = async () => devices().start((await service.app.get(ClientService).load('app'))!.client);
  const poll = async (device_code: string) =>
    (await service.token({ client_id: 'app', grant_type: 'device_code', device_code })).body as Record<string, unknown>;
  /** Types a code on the device page, signed in. */
  const type = async (user_code: string, by = visitor) => by.submit(await by.get('/device'), { user_code });
  const seen = (page: Response) => [page.status, titleOf(page)];

  describe('about a device is for who typed the code first (RFC 8628 §5.5)', () => {
    const other = () => new Visitor(service.url);

    it('no other user and no other browser can see, allow or deny it', async () => {
      const { user_code, device_code } = await startDevice();
      await signedIn();
      const confirm = await type(user_code);
      const bob = other();
      await signedIn(bob, 'bob', 'battery staple');
      const elsewhere = other();
      await signedIn(elsewhere);
      for (const spy of [bob, elsewhere]) {
        expect(seen(await type(user_code, spy))).toEqual([400, 'Connect a device']);
        const theirs = await type((await startDevice()).user_code, spy);
        for (const decision of ['allow', 'deny']) {
          expect((await spy.submit(theirs, { user_code, decision })).status).toBe(400);
        }
      }
      expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });
      expect(titleOf(await visitor.submit(confirm, { decision: 'allow' }))).toBe('Device connected');
      expect(await poll(device_code)).toMatchObject({ sub });
    });

    it('nor can a page of an application, which claims in the same way', async () => {
      const { user_code } = await startDevice();
      await signedIn();
      const confirm = await type(user_code);
      expect(await devices().approve(user_code, sub)).toBe(false);
      expect(await devices().approve(user_code, sub, undefined, undefined, 'another session')).toBe(false);
      expect(await devices().deny(user_code)).toBe(false);
      expect(await devices().deny(user_code, 'another session')).toBe(false);
      expect(titleOf(await visitor.submit(confirm, { decision: 'allow' }))).toBe('Device connected');
    });

    it('nor can a bearer at POST /auth/v1/user/device/authorize, who is answered alike, too', async () => {
      const authorize = async (user_code: string, { access_token }: Tokens) => {
        const asked = request(service.url)
          .post('/auth/v1/user/device/authorize')
          .auth(access_token, { type: 'bearer' });
        const { status, body } = await asked.send({ user_code });
        return [status, body] as [number, { details: object[] }];
      };
      const ada = await signIn(service, ours);
      const bob = await signIn(service, { ...ours, username: 'bob', password: 'battery staple' });
      const typed = await startDevice();
      await signedIn();
      await type(typed.user_code);
      expect((await authorize(typed.user_code, ada))[0]).toBe(400);
      const free = await startDevice();
      for (let i = 0; i < 2; i++) expect(await authorize(free.user_code, ada)).toEqual([200, {}]);
      expect((await authorize(free.user_code, bob))[0]).toBe(400);
      expect(await poll(free.device_code)).toMatchObject({ sub });
    });

    it('of two who type it at once one is asked', async () => {
      const { user_code } = await startDevice();
      const claims = await Promise.all(['a', 'b', 'c', 'd'].map((session) => devices().claim(user_code, session)));
      expect(claims.filter(Boolean)).toHaveLength(1);
    });

    it('they may come back to it, after signing in again too, and leave it to others by signing out', async () => {
      const { user_code, device_code } = await startDevice();
      await signedIn();
      await type(user_code);
      expect(titleOf(await type(user_code))).toBe('Connect this device?');
      await signInAgain();
      expect(titleOf(await type(user_code))).toBe('Connect this device?');
      await visitor.submit(await visitor.get('/oauth2/logout'));
      await signedIn(visitor, 'bob', 'battery staple');
      const confirm = await type(user_code);
      expect(confirm.text).toContain('Signed in as bob');
      await visitor.submit(confirm, { decision: 'deny' });
      expect(await poll(device_code)).toMatchObject({ error: 'access_denied' });
    });

    it('is answered alike as often as they ask, allowed or denied', async () => {
      await signedIn();
      for (const [decision, title] of [
        ['allow', 'Device connected'],
        ['deny', 'Device not connected'],
      ] as const) {
        const { user_code, device_code } = await startDevice();
        const confirm = await type(user_code);
        expect(seen(await visitor.submit(confirm, { decision }))).toEqual([200, title]);
        expect(seen(await visitor.submit(confirm, { decision }))).toEqual([200, title]);
        expect(seen(await type(user_code))).toEqual([200, title]);
        await poll(device_code); // used by the device meanwhile
        expect(seen(await visitor.submit(confirm, { decision }))).toEqual([200, title]);
        const contrary = decision === 'allow' ? 'deny' : 'allow';
        expect((await visitor.submit(confirm, { decision: contrary })).status).toBe(400);
        const bob = other();
        await signedIn(bob, 'bob', 'battery staple');
        expect((await type(user_code, bob)).status).toBe(400);
      }
    });
  });

  describe('about an app that could be any app on the device is always asked, the own ones too (RFC 8252 §8.6)', () => {
    it.each(['http://127.0.0.1:51004/callback', 'com.example.app:/callback'])('%s', async (redirect_uri) => {
      const native = { client_id: 'native', redirect_uri };
      await signedIn();
      const consent = await visitor.authorize(native);
      expect(seen(consent)).toEqual([200, 'Allow access?']);
      expect(answerOf(await visitor.submit(consent, { decision: 'allow' }))).toHaveProperty('code');
      expect(titleOf(await visitor.authorize(native))).toBe('Allow access?');
      const silent = await visitor.authorize({ ...native, prompt: 'none' });
      expect(answerOf(silent)).toMatchObject({ error: 'consent_required' });
    });

    it('not about one whose https host, or whose secret, proves it', async () => {
      await signedIn();
      expect(answerOf(await visitor.authorize({ client_id: 'native' }))).toHaveProperty('code');
      const backend = { client_id: 'backend', redirect_uri: 'http://127.0.0.1/callback' };
      expect(answerOf(await visitor.authorize(backend))).toHaveProperty('code');
    });
  });

  describe('whether to sign out is left out for an id_token of this very sign-in alone (RP-Initiated Logout §2)', () => {
    const asks = async (id_token_hint: string, by = visitor) =>
      titleOf(await by.get('/oauth2/logout', { id_token_hint })) === 'Sign out?';

    it('asks by one of an earlier sign-in, of another browser, or of none', async () => {
      const earlier = await idToken(await signedIn());
      await visitor.submit(await visitor.get('/oauth2/logout'));
      await signedIn();
      const elsewhere = await idToken(await signedIn(new Visitor(service.url)));
      const byPassword = (await signIn(service, { client_id: 'ours' })).id_token;
      for (const hint of [earlier, elsewhere, byPassword]) expect(await asks(hint)).toBe(true);
      expect(await isSignedIn()).toBe(true);
    });

    it('does not by one of this sign-in, refreshed or expired, by POST or at an app that it was used for', async () => {
      await signedIn();
      const consent = await visitor.authorize();
      const hint = await idToken(await visitor.submit(consent, { decision: 'allow' }), 'app');
      service.clock.advance(10_000);
      const query = { id_token_hint: hint, post_logout_redirect_uri: AFTER };
      const { headers } = await new Visitor(service.url).post('/oauth2/logout', query);
      expect((await visitor.get(headers['location']!)).headers['location']).toBe(AFTER);
      expect(await isSignedIn()).toBe(false);
    });

    it('is nobody else’s to decide: a POST of another site, which comes without the cookie, leaves it there', async () => {
      const { headers } = await visitor.post('/oauth2/logout', { post_logout_redirect_uri: AFTER, client_id: 'app' });
      const ticket = new URL(headers['location']!, service.url).searchParams.get('ticket')!;
      const fields = { ticket, username: 'ada', password: 'correct horse', user_code: 'ABCD-EFGH', decision: 'allow' };
      for (const path of [
        '/oauth2/logout/confirm',
        '/oauth2/authorize/sign-in',
        '/oauth2/authorize/consent',
        '/device',
        '/device/sign-in',
        '/device/answer',
      ]) {
        const answer = await new Visitor(service.url).post(path, fields);
        expect([path, answer.headers['set-cookie']]).toEqual([path, undefined]);
      }
    });

    it('says so once more to who is signed out already', async () => {
      await signedIn();
      const page = await visitor.get('/oauth2/logout');
      expect(titleOf(await visitor.submit(page))).toBe('You are signed out');
      expect(titleOf(await visitor.submit(page))).toBe('You are signed out');
    });
  });

  describe('is not answered in the first moment after its page was drawn, by a double click on the page before', () => {
    const pages: [string, () => Promise<Response>, object][] = [
      ['Allow access?', async () => (await signedIn(), visitor.authorize({ ...ours, prompt: 'consent' })), {}],
      ['Connect this device?', async () => (await signedIn(), type((await startDevice()).user_code)), {}],
      ['Sign out?', async () => (await signedIn(), visitor.get('/oauth2/logout')), {}],
    ];
    const rows = pages.flatMap(([title, open]) =>
      ['allow', 'deny'].flatMap((decision) => [0, 80, 150, 250, 699].map((ms) => ({ title, open, decision, ms }))),
    );

    it.each(rows)('$title $decision after $ms ms: the page once more', async ({ title, open, decision, ms }) => {
      const page = await open();
      service.clock.advance(ms / 1000);
      const again = await visitor.follow(await visitor.submitAtOnce(page, { decision }));
      expect(seen(again)).toEqual([200, title]);
      service.clock.advance(0.7);
      expect(titleOf(await visitor.submitAtOnce(again, { decision }))).not.toBe(title);
    });

    it('is told by the moment that is sealed into the form, whatever else is sent', async () => {
      await signedIn();
      const page = await visitor.authorize({ ...ours, prompt: 'consent' });
      for (const csrf of [undefined, '', `${formOf(page).fields['csrf']!.slice(0, -4)}AAAA`]) {
        expect((await visitor.submit(page, { decision: 'allow', csrf })).status).toBe(403);
      }
    });

    it('bears the clock of another node: a page from ahead waits as long, one from far ahead not at all', async () => {
      await signedIn();
      const page = await visitor.authorize({ ...ours, prompt: 'consent' });
      service.clock.advance(-2);
      expect(titleOf(await visitor.submitAtOnce(page, { decision: 'allow' }))).toBe('Allow access?');
      service.clock.advance(-0.001);
      expect(answerOf(await visitor.submitAtOnce(page, { decision: 'allow' }))).toHaveProperty('code');
      service.clock.advance(2.001);
    });
  });

  describe('asked twice is answered alike: a second tab or click after signing in', () => {
    it('goes on to where it led', async () => {
      const [first, second] = [await visitor.authorize(ours), await visitor.authorize({ ...ours, state: 'st-2' })];
      expect(answerOf(await visitor.signIn(first))).toMatchObject({ state: 'st-1' });
      expect(answerOf(await visitor.signIn(first))).toMatchObject({ state: 'st-1', code: expect.any(String) });
      expect(answerOf(await visitor.signIn(second, ' ADA ', 'whatever'))).toMatchObject({ state: 'st-2' });
    });

    it('so it does from the device page', async () => {
      const page = await visitor.get('/device', { user_code: 'ABCD-EFGH' });
      await visitor.signIn(page);
      const entry = await visitor.signIn(page);
      expect(seen(entry)).toEqual([200, 'Connect a device']);
      expect(entry.text).toContain('value="ABCD-EFGH"');
      await signInAgain();
      expect(seen(await visitor.submit(entry, { user_code: 'ABCD-EFGH' }))).toEqual([200, 'Connect a device']);
    });

    it('ends nothing by two clicks at once of who signs in again', async () => {
      const { code } = answerOf(await signedIn());
      const { refresh_token } = (await redeem(service, code!, ours)).body as Tokens;
      service.clock.advance(1);
      const { action, fields } = formOf(await visitor.authorize({ ...ours, prompt: 'login' }));
      const tabs = [0, 1].map(() => Object.assign(new Visitor(service.url), { cookies: new Map(visitor.cookies) }));
      const typed = { ...fields, username: 'ada', password: 'correct horse' };
      await Promise.all(tabs.map((tab) => tab.post(action, typed)));
      expect((await Promise.all(tabs.map((tab) => isSignedIn(tab)))).filter(Boolean)).toHaveLength(1);
      const refresh = await service.token({ ...ours, grant_type: 'refresh_token', refresh_token });
      expect(refresh.status).toBe(200);
    });

    it('asks who it is where somebody else is typed: nobody finds themselves in the account of another', async () => {
      const [first, second] = [await visitor.authorize(ours), await visitor.authorize(ours)];
      await visitor.signIn(first);
      const page = await visitor.signIn(second, 'bob', 'battery staple');
      expect(seen(page)).toEqual([400, 'Sign in']);
      expect(page.text).toContain('You have signed in as ada meanwhile.');
      expect(await isSignedIn()).toBe(true);
      const consent = await visitor.authorize({ ...ours, prompt: 'consent' });
      expect(consent.text).toContain('Signed in as ada');
      await visitor.signIn(page, 'bob', 'battery staple');
      expect((await visitor.authorize({ ...ours, prompt: 'consent' })).text).toContain('Signed in as bob');
    });

    it('decides nothing by the form of before, and asks again', async () => {
      await signedIn();
      const consent = await visitor.authorize({ ...ours, prompt: 'consent' });
      const { user_code, device_code } = await startDevice();
      const confirm = await type(user_code);
      const signOut = await visitor.get('/oauth2/logout');
      await signInAgain();
      expect(titleOf(await visitor.submit(consent, { decision: 'allow' }))).toBe('Allow access?');
      expect(titleOf(await visitor.submit(confirm, { decision: 'allow' }))).toBe('Connect this device?');
      expect(titleOf(await visitor.submit(signOut))).toBe('Sign out?');
      expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });
      expect(await isSignedIn()).toBe(true);
    });

    it('never by a form of another site, or that we did not draw (RFC 9700 §4.7)', async () => {
      const page = await visitor.authorize(ours);
      await visitor.signIn(page);
      for (const csrf of [undefined, 'x', 'A'.repeat(5000)]) {
        expect((await visitor.submit(page, { csrf, username: 'ada', password: 'correct horse' })).status).toBe(403);
      }
      visitor.headers = { 'sec-fetch-site': 'same-site' };
      expect((await visitor.signIn(page)).status).toBe(403);
    });
  });

  describe('that is older than an hour is asked anew', () => {
    it('signing in on such a page goes on', async () => {
      const page = await visitor.authorize({ ...ours, prompt: 'login' });
      service.clock.advance(50_000);
      expect(answerOf(await visitor.signIn(page))).toMatchObject({ code: expect.any(String), state: 'st-1' });
    });

    it('allowing on such a page decides nothing: who it is and what they allow is asked as at the start', async () => {
      const consent = await visitor.signIn(await visitor.authorize({ ...ours, prompt: 'login consent' }));
      service.clock.advance(3600);
      const again = await visitor.submit(consent, { decision: 'allow' });
      expect(seen(again)).toEqual([200, 'Sign in']); // the sign-in of before is not one for this request any more
      expect(answerOf(await visitor.submit(await visitor.signIn(again), { decision: 'allow' }))).toHaveProperty('code');
    });

    it('signing out on such a page signs out', async () => {
      await signedIn();
      const page = await visitor.get('/oauth2/logout', { client_id: 'app', post_logout_redirect_uri: AFTER });
      service.clock.advance(50_000);
      expect((await visitor.submit(page)).headers['location']).toBe(AFTER);
    });
  });

  describe('that fails leaves a way on', () => {
    const wayOf = ({ text }: Response) =>
      /<p class="way"><a href="([^"]*)">([^<]*)<\/a><\/p>/.exec(text)?.slice(1) ?? [];

    it('with the request, where it can still be answered', async () => {
      const page = await visitor.submit(await visitor.authorize(), { csrf: 'x' });
      const [href, text] = wayOf(page);
      expect([page.status, text]).toEqual([403, 'Continue to The App']);
      expect(seen(await visitor.get(href!))).toEqual([200, 'Sign in']);
    });

    it('back to the app, where it is known', async () => {
      const back = ['https://app.example.com', 'Back to The App'];
      const page = await visitor.authorize();
      service.clock.advance(3600 + 86_400);
      expect(wayOf(await visitor.signIn(page))).toEqual(back);
      expect(wayOf(await visitor.authorize({ redirect_uri: 'https://evil.example/' }))).toEqual(back);
      expect(wayOf(await visitor.get('/oauth2/logout', { client_id: 'app' }))).toEqual(back);
      visitor.headers = { 'accept-language': 'zh-CN' };
      expect(wayOf(await visitor.signIn(page))).toEqual(['https://app.example.com', '返回 The App']);
    });

    it('to a page of ours elsewhere', async () => {
      const device = ['/device', 'Connect a device'];
      expect(wayOf(await visitor.authorize({ client_id: 'nobody' }))).toEqual(device);
      expect(wayOf(await visitor.get('/oauth2/authorize/continue', { ticket: 'x' }))).toEqual(device);
      expect(wayOf(await visitor.post('/device', { user_code: 'x' }))).toEqual(device);
      expect(wayOf(await visitor.get('/oauth2/logout'))).toEqual(['/device', 'Sign in']);
      expect(wayOf(await visitor.get('/oauth2/logout/confirm', { ticket: 'x' }))).toEqual([
        '/oauth2/logout',
        'Sign out',
      ]);
      await signedIn();
      const confirm = await type((await startDevice()).user_code);
      const done = await visitor.submit(confirm, { decision: 'allow' });
      expect(wayOf(done)).toEqual(['/device', 'Connect another device']);
    });
  });
});
