import { getStorageToken } from '@nestjs/throttler';
import request from 'supertest';
import { ClientService } from '../../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../../src/core/devices/device-authorization.service.js';
import { SessionService } from '../../src/core/sessions/session.service.js';
import { UserService } from '../../src/core/users/user.service.js';
import { FIRST_PARTY_GRANTS } from '../cloudbase/sdk.js';
import { startHost } from '../host.js';
import { expectError, type Service, startService } from '../service.js';
import { formOf, Visitor } from '../visitor.js';

const PASSWORD = 'correct horse';
const FOUR = { requests: 4, seconds: 120 };

/** A way to try a password, and whether it was refused for the limit, was wrong or right. */
type Door = (username: string, password: string) => Promise<'limited' | 'wrong' | 'right'>;

const outcome = (status: number) => (status === 429 ? 'limited' : status >= 400 ? 'wrong' : 'right');

async function start(auth: object = {}): Promise<Service> {
  const service = await startService({ auth: { limitIp: false, limitClient: false, ...auth } });
  await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS, default_scope: ['openid'], first_party: true });
  const sub = await service.user('ada', PASSWORD);
  const users = service.app.get(UserService);
  await users.setContact(sub, { channel: 'email', value: 'ada@example.com' });
  await users.setContact(sub, { channel: 'phone_number', value: '+86 13800000000' });
  return service;
}

const post = (service: Service, path: string, body: object, headers: Record<string, string> = {}) =>
  request(service.url).post(path).set(headers).send(body);

const passwordGrant =
  (service: Service, headers: Record<string, string> = {}, path = '/auth/v1/token'): Door =>
  async (username, password) => {
    const body = { client_id: 'app', grant_type: 'password', username, password };
    return outcome((await post(service, path, body, headers)).status);
  };

const page =
  (visitor: Visitor, path: string): Door =>
  async (username, password) => {
    visitor.cookies.delete('__Host-auth_session');
    const form = formOf(path === '/device' ? await visitor.get(path) : await visitor.authorize());
    return outcome((await visitor.post(form.action, { ...form.fields, username, password })).status);
  };

const signIn = async (service: Service, headers: Record<string, string> = {}) => {
  const { body } = await post(
    service,
    '/auth/v1/signin?client_id=app',
    { username: 'ada', password: PASSWORD },
    headers,
  );
  return body as { access_token: string; refresh_token: string; sub: string };
};

describe('the attempts of an account', () => {
  let service: Service;
  let bearer: string;

  beforeAll(async () => {
    service = await start({ limitAccount: FOUR });
    bearer = (await signIn(service)).access_token;
  });
  beforeEach(() => service.clock.advance(120));
  afterAll(() => service.close());

  const NAMES = [
    'ada',
    ' ＡＤＡ ',
    `${' '.repeat(250)}ada`,
    'ada@example.com',
    'ADA@EXAMPLE.COM',
    'ａｄａ＠example.com',
    '13800000000',
    '+8613800000000',
    '+86 13800000000',
    '+86    13800000000',
    '＋８６ １３８００００００００',
  ];

  it('are one budget, whichever of its names is typed, however it is spelled', async () => {
    for (const name of NAMES) {
      service.clock.advance(120);
      const door = passwordGrant(service);
      for (let i = 0; i < 4; i++) expect([name, await door(name, 'wrong')]).toEqual([name, 'wrong']);
      for (const other of NAMES) expect([name, other, await door(other, PASSWORD)]).toEqual([name, other, 'limited']);
    }
  });

  it('are the same for a name that nobody has, so that nobody learns which is which', async () => {
    const door = passwordGrant(service);
    const names = ['13911112222', '+8613911112222', '+86  13911112222', '＋８６１３９１１１１２２２２'];
    for (const name of names) expect(await door(name, 'wrong')).toBe('wrong');
    for (const name of names) expect(await door(name, 'wrong')).toBe('limited');
    expect(await door('nobody@example.com', 'wrong')).toBe('wrong');
  });

  const stranger = () => new Visitor(service.url);
  const DOORS: [string, () => Door][] = [
    ['/auth/v1/token', () => passwordGrant(service)],
    ['/oauth2/token', () => passwordGrant(service, {}, '/oauth2/token')],
    [
      '/auth/v1/signin',
      () => async (username, password) =>
        outcome((await post(service, '/auth/v1/signin?client_id=app', { username, password })).status),
    ],
    ['the sign-in page', () => page(stranger(), '/oauth2/authorize')],
    ['the sign-in page for a device', () => page(stranger(), '/device')],
  ];
  it.each(DOORS)('are spent at %s and refuse at every other door', async (_, door) => {
    for (let i = 0; i < 4; i++) expect(await door()('ada', 'wrong')).toBe('wrong');
    for (const [where, other] of DOORS) expect([where, await other()('ada', PASSWORD)]).toEqual([where, 'limited']);
  });

  const own = (path: string, body: object) =>
    post(service, `/auth/v1/user${path}`, body, { authorization: `Bearer ${bearer}` });
  it.each<[string, (password: string) => request.Test]>([
    ['/user/sudo', (password) => own('/sudo', { password })],
    ['/user/basic/edit', (password) => own('/basic/edit', { password, new_password: 'another one' })],
  ])('are spent at %s, whatever its bearer is called by then', async (_, ask) => {
    for (let i = 0; i < 4; i++) {
      expect((await own('/basic/edit', { username: `ada-${i}`, password: PASSWORD })).status).toBe(200);
      expect((await ask('wrong')).status).toBe(400);
    }
    expect(await passwordGrant(service)('ada@example.com', PASSWORD)).toBe('limited');
    await own('/basic/edit', { username: 'ada', password: PASSWORD });
  });

  it('are not spent by who has the right password', async () => {
    const door = passwordGrant(service);
    for (let i = 0; i < 12; i++) expect(await door('ada', PASSWORD)).toBe('right');
    for (let i = 0; i < 3; i++) expect(await door('ada', 'wrong')).toBe('wrong');
    for (let i = 0; i < 12; i++) expect(await door('ada', PASSWORD)).toBe('right');
  });

  describe('where strangers have spent them', () => {
    const lockOut = async () => {
      const door = passwordGrant(service, { 'x-device-id': 'of a stranger' });
      for (let i = 0; i < 4; i++) expect(await door('ada', 'wrong')).toBe('wrong');
      expect(await door('ada', PASSWORD)).toBe('limited');
    };

    it('leave as many to a device that the user has signed in on before, and none to one that they have not', async () => {
      await signIn(service, { 'x-device-id': 'phone' });
      await service.app.get(SessionService).revokeDevice((await signIn(service)).sub, 'phone');
      await lockOut();
      const phone = passwordGrant(service, { 'x-device-id': 'phone' });
      expect(await phone('ada', PASSWORD)).toBe('right');
      for (let i = 0; i < 4; i++) expect(await phone('13800000000', 'wrong')).toBe('wrong');
      expect(await phone('ada', PASSWORD)).toBe('limited');
      expect(await passwordGrant(service, { 'x-device-id': 'tablet' })('ada', PASSWORD)).toBe('limited');
    });

    it('leave as many to a browser that the user has signed in with before, signed out or not', async () => {
      const visitor = new Visitor(service.url);
      const own = page(visitor, '/oauth2/authorize');
      expect(await own('ada', PASSWORD)).toBe('right');
      await lockOut();
      expect(await own('ada', PASSWORD)).toBe('right');
      for (let i = 0; i < 4; i++) expect(await own('ada', 'wrong')).toBe('wrong');
      expect(await own('ada', PASSWORD)).toBe('limited');
      expect(await page(stranger(), '/oauth2/authorize')('ada', PASSWORD)).toBe('limited');
    });

    it('leave none to a browser that another user has signed in with, nor to a cookie that was changed', async () => {
      await service.user('eve', 'shoulder surf');
      const eve = new Visitor(service.url);
      expect(await page(eve, '/oauth2/authorize')('eve', 'shoulder surf')).toBe('right');
      await lockOut();
      expect(await page(eve, '/oauth2/authorize')('ada', PASSWORD)).toBe('limited');
      for (const value of ['', 'x', '.', 'a.b', 'a'.repeat(5000)]) {
        const forger = new Visitor(service.url);
        forger.cookies.set('__Host-auth_known', value);
        expect(await page(forger, '/oauth2/authorize')('ada', PASSWORD)).toBe('limited');
      }
    });
  });
});

describe('the budget of a client', () => {
  it('is nobody else’s to spend: wrong secrets count where they come from', async () => {
    const service = await startService({
      auth: { limitIp: false, limitClient: { requests: 4, seconds: 60 } },
      settings: { trustProxy: 1 },
    });
    const { client_secret } = await service.client({ id: 'backend', public: false });
    const ask = (client_secret: string, from: string) =>
      service.token(
        { client_id: 'backend', client_secret, grant_type: 'client_credentials' },
        { 'x-forwarded-for': from },
      );
    for (let i = 0; i < 4; i++) expect((await ask('wrong', '203.0.113.66')).status).toBe(401);
    const refused = { error: 'resource_exhausted', reason: 'LIMIT_CLIENT', retryAfter: 15 } as const;
    expectError(await ask(client_secret!, '203.0.113.66'), refused);
    for (let i = 0; i < 4; i++) expect((await ask(client_secret!, '192.0.2.1')).status).toBe(200);
    expectError(await ask(client_secret!, '192.0.2.2'), refused); // what it may use itself
    await service.close();
  });
});

describe('a token whose session has ended', () => {
  let service: Service;
  let dead: { access_token: string; refresh_token: string }[];
  let living: { access_token: string; refresh_token: string };
  let secret: string;

  beforeEach(async () => {
    service = await start({ limitIp: { requests: 6, seconds: 60 } });
    const { client_secret } = await service.client({ id: 'backend', public: false });
    secret = client_secret!;
    dead = [await signIn(service), await signIn(service), await signIn(service)];
    await service.app.get(SessionService).revokeAll({ clientId: 'app' });
    living = await signIn(service);
    service.clock.advance(60);
  });
  afterEach(() => service.close());

  const backend = () => ({ client_id: 'backend', client_secret: secret });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const ways: [string, (tokens: { access_token: string; refresh_token: string }) => PromiseLike<{ status: number }>][] =
    [
      [
        'a refresh',
        ({ refresh_token }) => service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token }),
      ],
      [
        'a refresh by a client whose secret is wrong',
        ({ refresh_token }) =>
          service.token({ ...backend(), client_secret: 'x', grant_type: 'refresh_token', refresh_token }),
      ],
      [
        'introspecting its refresh token',
        ({ refresh_token }) => post(service, '/oauth2/introspect', { ...backend(), token: refresh_token }),
      ],
      [
        'introspecting its access token',
        ({ access_token }) => post(service, '/oauth2/introspect', { ...backend(), token: access_token }),
      ],
      ['revoking it', ({ access_token }) => post(service, '/oauth2/revoke', { client_id: 'app', token: access_token })],
      ['userinfo', ({ access_token }) => request(service.url).get('/oauth2/userinfo').set(bearer(access_token))],
      [
        'the user’s own routes',
        ({ access_token }) => request(service.url).get('/auth/v1/user/me').set(bearer(access_token)),
      ],
      ['signing out', ({ access_token }) => post(service, '/auth/v1/user/signout', {}, bearer(access_token))],
    ];

  it.each(ways)('buys %s out of the budget of its address no more than a forged one', async (_, way) => {
    for (let i = 0; i < 6; i++) expect((await way(dead[i % 3]!)).status).not.toBe(429);
    const refused = (await way(dead[0]!)) as request.Response;
    expect(refused.status).toBe(429);
    expect(refused.headers['ratelimit']).toBe('"ip";r=0;t=10');
    expect((await service.token({ client_id: 'app', grant_type: 'x' })).status).toBe(429); // and whatever else it asks
  });

  it.each(ways.filter(([what]) => !/wrong|revoking|signing/.test(what)))(
    'starves no living one: %s is still answered, out of a budget of its session’s own',
    async (_, way) => {
      for (let i = 0; i < 8; i++) await service.token({ client_id: 'app', grant_type: 'x' });
      for (let i = 0; i < 6; i++) {
        const { status, body } = (await way(living)) as request.Response;
        expect(status).toBe(200);
        const { refresh_token = living.refresh_token } = body as { refresh_token?: string };
        living = { ...living, refresh_token };
      }
      const refused = (await way(living)) as request.Response;
      expect([refused.status, refused.headers['ratelimit']]).toEqual([429, '"session";r=0;t=10']);
    },
  );

  it('is no better than one that never was, at userinfo too', async () => {
    const userinfo = () => request(service.url).get('/oauth2/userinfo').set(bearer('a.b.c'));
    for (let i = 0; i < 6; i++) expect((await userinfo()).status).toBe(401);
    const refused = await userinfo();
    expectError(refused, {
      error: 'resource_exhausted',
      word: 'temporarily_unavailable',
      reason: 'LIMIT_IP',
      retryAfter: 10,
    });
  });
});

describe('a user code (RFC 8628 §5.1)', () => {
  it('is as hard to guess as a password at every door, whatever else is sent', async () => {
    const service = await start({ limitAccount: FOUR });
    const devices = service.app.get(DeviceAuthorizationService);
    const { client } = (await service.app.get(ClientService).find('app'))!;
    const visitor = new Visitor(service.url);
    const entry = await visitor.signIn(await visitor.get('/device'));
    const { access_token } = await signIn(service);
    const { csrf } = formOf(entry).fields as { csrf: string };
    const doors = [
      (user_code: string) => visitor.post('/device', { csrf, user_code, username: `user-${user_code}` }),
      (user_code: string) => visitor.post('/device/answer', { csrf, user_code, username: 'x', decision: 'allow' }),
      (user_code: string) =>
        post(service, '/auth/v1/user/device/authorize', { user_code }, { authorization: `Bearer ${access_token}` }),
    ];
    // who is right has spent nothing
    for (let i = 0; i < 6; i++) expect((await doors[0]!((await devices.start(client)).user_code)).status).toBe(200);
    for (let i = 0; i < 4; i++) expect((await doors[i % 3]!(`AAAA-AAA${i + 2}`)).status).toBe(400);
    const { user_code } = await devices.start(client);
    for (const door of doors) expect((await door(user_code)).status).toBe(429);
    service.clock.advance(30);
    expect((await doors[2]!(user_code)).status).toBe(200);
    await service.close();
  });
});

describe('a storage of the host’s', () => {
  type Increment = (key: string, ttl: number, limit: number, blockDuration: number) => Promise<object>;
  const hostWith = async (increment: Increment) => {
    const providers = [{ provide: getStorageToken(), useValue: { increment } }];
    const host = await startHost({}, { providers });
    await host.app.get(ClientService).create({
      id: 'app',
      public: true,
      grant_types: ['password', 'refresh_token'],
    });
    await host.app.get(UserService).create({ username: 'ada', password: PASSWORD });
    const token = (body: object) =>
      request(host.url)
        .post('/auth/v1/token')
        .send({ client_id: 'app', ...body });
    const signIn = () => token({ grant_type: 'password', username: 'ada', password: PASSWORD });
    return { host, token, signIn };
  };
  const free = { totalHits: 1, timeToExpire: 1, isBlocked: false, timeToBlockExpire: 0 };

  it('that is away lets living sessions refresh, and all else is unavailable, not internal', async () => {
    let away: (() => Promise<object>) | undefined;
    const { host, token, signIn } = await hostWith(() => away?.() ?? Promise.resolve(free));
    let { refresh_token } = (await signIn()).body as { refresh_token: string };
    const ways = [
      () => Promise.reject(new Error('ECONNREFUSED')),
      () => {
        throw new Error('at once');
      },
      () => new Promise<object>(() => undefined), // a client that waits for its connection
    ];
    for (away of ways) {
      expectError(await signIn(), { error: 'unavailable', reason: 'LIMITS_UNAVAILABLE', retryAfter: 1 });
      const refreshed = await token({ grant_type: 'refresh_token', refresh_token });
      expect(refreshed.status).toBe(200);
      ({ refresh_token } = refreshed.body as { refresh_token: string });
    }
    away = undefined;
    expect((await signIn()).status).toBe(200);
    await host.close();
  });

  it('is told how long to block, and no wait that it answers is longer than the window', async () => {
    const asked: [string, number, number][] = [];
    const { host, signIn } = await hostWith((key, ttl, _limit, blockDuration) => {
      asked.push([key, ttl, blockDuration]);
      return Promise.resolve({ ...free, isBlocked: key.startsWith('client:'), timeToBlockExpire: 999_999.5 });
    });
    expectError(await signIn(), { error: 'resource_exhausted', reason: 'LIMIT_CLIENT', retryAfter: 60 });
    // of whom, only by a keyed hash
    expect(asked).toEqual([
      [expect.stringMatching(/^ip:[\w-]{43}$/), 60_000, 60_000],
      [expect.stringMatching(/^client:[\w-]{43}$/), 60_000, 60_000],
    ]);
    await host.close();
  });

  it('is not asked about accounts, whose attempts are limited all the same', async () => {
    const asked: string[] = [];
    const { host, token } = await hostWith((key) => {
      asked.push(key.split(':')[0]!);
      return Promise.resolve(free);
    });
    const guess = () => token({ grant_type: 'password', username: 'ada', password: 'wrong' });
    for (let i = 0; i < 10; i++) expect((await guess()).status).toBe(400);
    expectError(await guess(), { error: 'resource_exhausted', reason: 'LIMIT_ACCOUNT', retryAfter: 30 });
    expect(new Set(asked)).toEqual(new Set(['ip', 'client']));
    await host.close();
  });
});
