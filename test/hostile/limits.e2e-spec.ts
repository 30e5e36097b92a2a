import { AuthDatabase } from '../../src/base/database/auth-database.js';
import type { Settings } from '../../src/service/settings.js';
import { ClientService } from '../../src/core/clients/client.service.js';
import { AttemptBudget } from '../../src/core/throttling/attempt-budget.entity.js';
import { MemoryThrottlerStorage } from '../../src/core/throttling/memory-throttler.storage.js';
import { FakeClock } from '../service.js';
import {
  type Answer,
  basic,
  expectRefusal,
  GOOD,
  invalid,
  livesOn,
  startTarget,
  type Target,
  withTarget,
} from './wire.js';

const WRONG = { ...GOOD, password: 'wrong' };

/** Expects 429, and what it says about the budget. */
function expectExhausted(answer: Answer, budget: 'ip' | 'client' | 'account', quota: number, window: number): void {
  const wait = Number(answer.headers['retry-after']);
  expectRefusal(answer, {
    error: 'resource_exhausted',
    reason: `LIMIT_${budget.toUpperCase()}`,
    retryAfter: wait,
  });
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(wait).toBeLessThanOrEqual(window);
  expect(Number.isInteger(wait)).toBe(true);
  expect(answer.headers['ratelimit']).toBe(`"${budget}";r=0;t=${wait}`);
  expect(answer.headers['ratelimit-policy']).toBe(`"${budget}";q=${quota};w=${window}`);
}

const refreshWith = (target: Target) => async (refresh_token: string) => {
  const answer = await target.post({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body!['refresh_token'] as string;
};

describe('dodging the limit by address', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget({ auth: { limitIp: { requests: 6, seconds: 60 } } });
  });
  beforeEach(() => target.clock.advance(3600));
  afterEach(() => target.clock.advance(3600));
  livesOn(() => target);

  const rotated: [string, (i: number) => object, (i: number) => Record<string, string>][] = [
    ['X-Forwarded-For', () => ({}), (i) => ({ 'x-forwarded-for': `10.0.0.${i}` })],
    [
      'every other header that names an address',
      () => ({}),
      (i) => ({
        forwarded: `for=10.0.0.${i}`,
        'x-real-ip': `10.0.0.${i}`,
        'cf-connecting-ip': `10.0.0.${i}`,
        'true-client-ip': `10.0.0.${i}`,
        'x-client-ip': `10.0.0.${i}`,
        via: `${i}`,
      }),
    ],
    ['x-device-id', () => ({}), (i) => ({ 'x-device-id': `device-${i}` })],
    ['x-request-id', () => ({}), (i) => ({ 'x-request-id': `request-${i}` })],
    ['User-Agent', () => ({}), (i) => ({ 'user-agent': `agent/${i}` })],
    ['Authorization', () => ({}), (i) => ({ authorization: `Bearer ${i}` })],
    ['Host', () => ({}), (i) => ({ host: `host-${i}` })],
    ['client_id', (i) => ({ client_id: `client-${i}` }), () => ({})],
    ['Basic', () => ({ client_id: undefined }), (i) => ({ authorization: basic(`client-${i}`, 'x') })],
    ['username', (i) => ({ username: `user-${i}` }), () => ({})],
    ['grant_type', (i) => ({ grant_type: `urn:x:${i}` }), () => ({})],
    ['a forged refresh token', (i) => ({ grant_type: 'refresh_token', refresh_token: `m.${i}` }), () => ({})],
    ['the type of a parameter', (i) => ({ grant_type: [i], username: { i }, client_id: 'app' }), () => ({})],
  ];
  it.each(rotated)('does not work with %s', async (_, body, headers) => {
    for (let i = 0; i < 6; i++) {
      const { status } = await target.post({ ...WRONG, ...body(i) }, headers(i));
      expect([400, 401]).toContain(status);
    }
    for (let i = 6; i < 10; i++) {
      expectExhausted(await target.post({ ...WRONG, ...body(i) }, headers(i)), 'ip', 6, 60);
    }
  });

  it('does not work with a connection of its own for each request, nor by other spellings of the path', async () => {
    const paths = ['/auth/v1/token', '/auth/v1/token/', '/AUTH/v1/token', '/auth/v1/token?x=1'];
    for (let i = 0; i < 10; i++) {
      const answer = await target.send({
        path: paths[i % paths.length],
        headers: { 'content-type': 'text/plain', connection: 'close' },
        body: JSON.stringify(WRONG),
      });
      expect(answer.status).toBe(i < 6 ? 400 : 429);
    }
  });

  it('does not work with many requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => target.post({ ...GOOD, client_id: 'nobody' })));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(6);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(34);
  });

  it('ends as the budget comes back, a request’s worth at a time, and refused requests cost nothing', async () => {
    for (let i = 0; i < 6; i++) await target.post({ ...GOOD, client_id: 'nobody' });
    for (let i = 0; i < 20; i++) expectExhausted(await target.post(GOOD), 'ip', 6, 60);
    const { headers } = await target.post(GOOD);
    expect(headers['retry-after']).toBe('10');
    target.clock.advance(9);
    expectExhausted(await target.post(GOOD), 'ip', 6, 60);
    target.clock.advance(1);
    expect(await target.post(GOOD)).toMatchObject({ status: 200 });
    expectExhausted(await target.post(GOOD), 'ip', 6, 60);
    target.clock.advance(60);
    for (let i = 0; i < 6; i++) expect((await target.post({ ...GOOD, client_id: 'nobody' })).status).toBe(401);
    expectExhausted(await target.post(GOOD), 'ip', 6, 60);
  });

  it('leaves every genuine session refreshing', async () => {
    let token = (await target.signIn())['refresh_token']!;
    for (let i = 0; i < 20; i++) await target.post(WRONG);
    expectExhausted(await target.post(GOOD), 'ip', 6, 60);
    for (let i = 0; i < 4; i++) token = await refreshWith(target)(token);
    for (let i = 0; i < 4; i++) {
      expectExhausted(
        await target.post({
          client_id: 'app',
          grant_type: 'refresh_token',
          refresh_token: `${token.slice(0, -4)}AAAA`,
        }),
        'ip',
        6,
        60,
      );
    }
    await refreshWith(target)(token);
  });

  it('cannot ride on a genuine refresh token of one’s own', async () => {
    const { refresh_token } = await target.signIn();
    const ridden = [
      { ...WRONG, refresh_token },
      { ...WRONG, grant_type: 'authorization_code', code: 'x', refresh_token },
      { ...WRONG, grant_type: ['refresh_token', 'password'], refresh_token },
    ];
    for (let i = 0; i < 5; i++) expect((await target.post(ridden[i % 3]!)).status).toBe(400);
    for (const parameters of ridden) expectExhausted(await target.post(parameters), 'ip', 6, 60);
  });

  it('leaves other routes alone', async () => {
    for (let i = 0; i < 8; i++) await target.post(WRONG);
    expect(await target.send({ method: 'GET', path: '/auth/v1/certs' })).toMatchObject({ status: 200 });
    expect(await target.send({ method: 'GET', path: '/health/live' })).toMatchObject({ status: 200 });
  });
});

describe('the limit by address behind a proxy', () => {
  const behind = (trustProxy: Settings['trustProxy'], requests: number, test: (target: Target) => Promise<void>) =>
    withTarget({ auth: { limitIp: { requests, seconds: 60 } }, settings: { trustProxy } }, test);

  it('goes by the address that the trusted proxy wrote, and not by what was in the header before', async () => {
    await behind(1, 3, async (target) => {
      const from = (forwarded: string) =>
        target.post({ ...GOOD, client_id: 'nobody' }, { 'x-forwarded-for': forwarded });
      for (let i = 0; i < 3; i++) expect((await from(`6.6.6.${i}, 203.0.113.7`)).status).toBe(401);
      expectExhausted(await from('6.6.6.9, 203.0.113.7'), 'ip', 3, 60);
      expect((await from('203.0.113.7, 203.0.113.8')).status).toBe(401);
    });
  });

  it('counts IPv6 by /64, and every spelling of an address as that address', async () => {
    await behind(['loopback'], 3, async (target) => {
      const from = (forwarded: string) =>
        target.post({ ...GOOD, client_id: 'nobody' }, { 'x-forwarded-for': forwarded });
      for (const address of ['2001:db8:0:1::1', '2001:DB8:0:1::2', '2001:db8:0:1:ffff::']) {
        expect((await from(address)).status).toBe(401);
      }
      expectExhausted(await from('2001:0db8:0000:0001:1:2:3:4'), 'ip', 3, 60);
      expect((await from('2001:db8:0:2::1')).status).toBe(401);
      for (const address of ['198.51.100.1', '::ffff:198.51.100.1', '::FFFF:198.51.100.1']) {
        expect((await from(address)).status).toBe(401);
      }
      expectExhausted(await from('198.51.100.1'), 'ip', 3, 60);
    });
  });

  it('goes by the address alone, whatever a proxy writes around it (RFC 7239 §6)', async () => {
    const SPELLINGS: [string, (i: number) => string][] = [
      ['198.51.100.1', (i) => `198.51.100.1:${4000 + i}`],
      ['198.51.100.2', (i) => `"198.51.100.2:${4000 + i}"`],
      ['198.51.100.3', (i) => `198.51.100.3:_hidden${i}`],
      ['198.51.100.4', (i) => `[::ffff:198.51.100.4]:${4000 + i}`],
      ['198.51.100.5', (i) => ['::ffff:c633:6405', '0:0:0:0:0:FFFF:198.51.100.5', '[::ffff:198.51.100.5]'][i]!],
      ['2001:db8:0:1::1', (i) => `[2001:db8:0:1::${i}]:${4000 + i}`],
      ['2001:db8:0:2::1', (i) => `"[2001:DB8:0:2::${i}]"`],
      ['fe80::1', (i) => `fe80::1%eth${i}`],
      ['fe80:0:0:1::1', (i) => `[fe80:0:0:1::1%25eth${i}]:1`],
    ];
    await behind(1, 3, async (target) => {
      for (const [address, spelled] of SPELLINGS) {
        const from = (forwarded: string) =>
          target.post({ ...GOOD, client_id: 'nobody' }, { 'x-forwarded-for': `6.6.6.6, ${forwarded}` });
        for (let i = 0; i < 3; i++) expect([spelled(i), (await from(spelled(i))).status]).toEqual([spelled(i), 401]);
        expectExhausted(await from(address), 'ip', 3, 60);
      }
    });
  });

  it('takes what is no address for no hop: the proxy that told it is who asks, and trusts nobody further', async () => {
    await behind(['loopback', '10.0.0.0/8'], 4, async (target) => {
      const junk = [
        'x',
        'unknown',
        '_hidden',
        '1.2.3',
        '1.2.3.4.5',
        '1.2.3.4:99999999',
        '[1.2.3.4',
        '2001:db8::1]',
        '010.1.1.1',
      ];
      const from = (forwarded: string) =>
        target.post({ ...GOOD, client_id: 'nobody' }, { 'x-forwarded-for': forwarded });
      const statuses = [];
      for (const [i, hop] of junk.entries())
        statuses.push((await from(`203.0.113.${i}, ${hop}, 10.0.0.1:${i}`)).status);
      expect(statuses).toEqual([401, 401, 401, 401, 429, 429, 429, 429, 429]);
      // a proxy that is trusted is known by its address, too, whatever stands around it
      for (let i = 0; i < 4; i++)
        expect((await from(`203.0.113.9:${i}, [::ffff:10.0.0.2]:443, 10.0.0.1`)).status).toBe(401);
      expectExhausted(await from('203.0.113.9'), 'ip', 4, 60);
    });
  });

  it('is not at a loss for a header that names no address', async () => {
    await behind(1, 1, async (target) => {
      const garbage = [
        '',
        'x',
        ',,,',
        'unknown',
        '999.1.1.1',
        '"',
        ':::',
        '127.0.0.1, x',
        'a'.repeat(8000),
        '__proto__',
      ];
      for (const forwarded of garbage) {
        target.clock.advance(60);
        expect(await target.post(GOOD, { 'x-forwarded-for': forwarded })).toMatchObject({ status: 200 });
        expectExhausted(await target.post(GOOD, { 'x-forwarded-for': forwarded }), 'ip', 1, 60);
      }
    });
  });
});

describe('dodging the limit by account', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget({ auth: { limitAccount: { requests: 4, seconds: 120 } } });
    await target.user('straße', 'a password');
  });
  beforeEach(() => target.clock.advance(3600));
  afterEach(() => target.clock.advance(3600));
  livesOn(() => target);

  it.each([
    ['case', ['ADA@example.com', 'Ada@Example.Com', 'aDA@EXAMPLE.COM']],
    ['width', ['ａｄａ@example.com', 'ada＠example.com', 'ＡＤＡ＠ＥＸＡＭＰＬＥ．ＣＯＭ']],
    ['padding', [' ada@example.com', 'ada@example.com  ', '\u3000ada@example.com\u00a0']],
    ['compatibility characters', ['ⓐda@example.com', 'ᵃda@example.com', '𝐚𝐝𝐚@example.com']],
  ])('does not work with the %s of the username', async (_, variants) => {
    for (let i = 0; i < 4; i++) {
      const answer = await target.post({ ...WRONG, username: variants[i % variants.length] });
      expectRefusal(answer, invalid('WRONG_USERNAME_OR_PASSWORD'));
    }
    for (const username of [...variants, GOOD.username]) {
      expectExhausted(await target.post({ ...WRONG, username }), 'account', 4, 120);
    }
  });

  it('does not work where two letters are one (ß and SS)', async () => {
    for (const username of ['straße', 'STRASSE', 'strasse', 'Straße']) {
      expect((await target.post({ ...WRONG, username })).status).toBe(400);
    }
    expectExhausted(await target.post({ ...WRONG, username: 'strasſe' }), 'account', 4, 120);
  });

  it('does not work with the one letter whose fold is not its lower case (ẞ)', async () => {
    for (let i = 0; i < 4; i++) expect((await target.post({ ...WRONG, username: 'straße' })).status).toBe(400);
    expectExhausted(await target.post({ ...WRONG, username: 'STRAẞE' }), 'account', 4, 120);
  });

  it('does not work through other clients, headers or content types', async () => {
    const ways: [object, Record<string, string>][] = [
      [{ client_id: 'other' }, {}],
      [{ ...target.confidential }, {}],
      [{}, { 'x-forwarded-for': '10.0.0.1', 'x-device-id': 'other', 'user-agent': 'other' }],
      [{}, { 'content-type': 'text/plain' }],
    ];
    for (const [body, headers] of ways) expect((await target.post({ ...WRONG, ...body }, headers)).status).toBe(400);
    for (const [body, headers] of ways) {
      expectExhausted(await target.post({ ...WRONG, ...body }, headers), 'account', 4, 120);
    }
  });

  it('does not work with many guesses at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => target.post(WRONG)));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(36);
  });

  it('refuses the right password too, so that a guess learns nothing', async () => {
    for (let i = 0; i < 4; i++) await target.post(WRONG);
    expectExhausted(await target.post(GOOD), 'account', 4, 120);
    target.clock.advance(30);
    expect(await target.post(GOOD)).toMatchObject({ status: 200 });
  });

  it('treats an account that does not exist in the same way', async () => {
    const unknown = { ...WRONG, username: 'nobody' };
    for (let i = 0; i < 4; i++) expect((await target.post(unknown)).status).toBe(400);
    expectExhausted(await target.post(unknown), 'account', 4, 120);
  });

  it('leaves other accounts and every genuine session alone', async () => {
    let token = (await target.signIn())['refresh_token']!;
    for (let i = 0; i < 10; i++) await target.post(WRONG);
    expectExhausted(await target.post(GOOD), 'account', 4, 120);
    expect((await target.post({ ...GOOD, username: 'straße', password: 'a password' })).status).toBe(200);
    for (let i = 0; i < 6; i++) token = await refreshWith(target)(token);
  });

  it('remembers no more of a username than a hash of one size, however long it is', async () => {
    const rows = target.app.get(AuthDatabase).dataSource.getRepository(AttemptBudget);
    await rows.clear();
    // one character that becomes eighteen under NFKC
    for (const username of ['ada@example.com', '\ufdfa'.repeat(256)]) {
      expect((await target.post({ ...WRONG, username })).status).toBe(400);
    }
    expect((await rows.find()).map(({ owner }) => owner)).toEqual(Array(2).fill(expect.stringMatching(/^[\w-]{43}$/)));
  });
});

describe('dodging the limit by client', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget({ auth: { limitClient: { requests: 4, seconds: 60 } } });
  });
  beforeEach(() => target.clock.advance(3600));
  afterEach(() => target.clock.advance(3600));
  livesOn(() => target);

  const ask = (client_secret: string, more: object = {}) =>
    target.post({ client_id: 'backend', client_secret, grant_type: 'client_credentials', ...more });

  it('does not work by naming the client in another place', async () => {
    const { client_id, client_secret } = target.confidential;
    const body = JSON.stringify({ grant_type: 'client_credentials' });
    const inQuery = () =>
      target.send({ path: '/auth/v1/token?client_id=backend', headers: { 'content-type': 'text/plain' }, body });
    const inBasic = () =>
      target.post({ grant_type: 'client_credentials' }, { authorization: basic(client_id, client_secret) });
    for (let i = 0; i < 2; i++) {
      expect((await inBasic()).status).toBe(200);
      expect((await ask(client_secret)).status).toBe(200);
    }
    expectExhausted(await ask(client_secret), 'client', 4, 60);
    expectExhausted(await inBasic(), 'client', 4, 60);
    target.clock.advance(60);
    for (let i = 0; i < 2; i++) {
      expect((await ask('wrong')).status).toBe(401);
      expect((await inQuery()).status).toBe(401);
    }
    expectExhausted(await ask('wrong'), 'client', 4, 60);
    expectExhausted(await inQuery(), 'client', 4, 60);
    expectExhausted(await inBasic(), 'client', 4, 60);
  });

  it('leaves other clients alone', async () => {
    for (let i = 0; i < 8; i++) await ask('wrong');
    expect(await target.post(GOOD)).toMatchObject({ status: 200 });
  });

  it('leaves the genuine sessions of that client refreshing', async () => {
    let token = (await target.signIn())['refresh_token']!;
    for (let i = 0; i < 8; i++) await target.post({ ...WRONG, username: `user-${i}` });
    expectExhausted(await target.post(GOOD), 'client', 4, 60);
    for (let i = 0; i < 6; i++) token = await refreshWith(target)(token);
  });
});

describe('a session that refreshes without end', () => {
  it('spends a budget of its own, and nobody else’s', async () => {
    await withTarget({ auth: { limitIp: { requests: 5, seconds: 60 } } }, async (target) => {
      let token = (await target.signIn())['refresh_token']!;
      const other = (await target.signIn())['refresh_token']!;
      for (let i = 0; i < 5; i++) token = await refreshWith(target)(token);
      const answer = await target.post({ client_id: 'app', grant_type: 'refresh_token', refresh_token: token });
      expect(answer).toMatchObject({ status: 429, body: { error: 'resource_exhausted' } });
      await refreshWith(target)(other);
      expect(await target.post(GOOD)).toMatchObject({ status: 200 });
      target.clock.advance(12);
      await refreshWith(target)(token); // and it was not logged out
    });
  });
});

describe('a flood of sign-ins', () => {
  it('is answered unavailable at once where the queue is full, and refreshes go by it', async () => {
    await withTarget({ auth: { hashingConcurrency: 1, hashingQueue: 2 } }, async (target) => {
      let token = (await target.signIn())['refresh_token']!;
      const flood = Promise.all(Array.from({ length: 30 }, (_, i) => target.post({ ...WRONG, username: `user-${i}` })));
      for (let i = 0; i < 5; i++) token = await refreshWith(target)(token);
      const answers = await flood;
      const full = answers.filter(({ status }) => status === 503);
      expect(full.length).toBeGreaterThan(0);
      for (const answer of full) {
        expectRefusal(answer, { error: 'unavailable', reason: 'SIGN_IN_QUEUE_FULL', retryAfter: 1 });
      }
      for (const answer of answers.filter(({ status }) => status !== 503)) {
        expectRefusal(answer, invalid('WRONG_USERNAME_OR_PASSWORD'));
      }
      expect(await target.post(GOOD)).toMatchObject({ status: 200 });
    });
  });
});

describe('memory', () => {
  const budgets = () => {
    const clock = new FakeClock();
    const storage = new MemoryThrottlerStorage(clock);
    const spend = (key: string, kind = 'account') => storage.increment(key, 60_000, 10, 60_000, kind);
    const kept = () =>
      [...(Reflect.get(storage, 'kinds') as Map<string, { restoredAt: Map<string, number> }>).values()].map(
        ({ restoredAt }) => restoredAt.size,
      );
    return { clock, storage, spend, kept };
  };

  it('stays bounded over 200,000 different keys, and only who comes when it is full shares a budget', async () => {
    const { spend, kept } = budgets();
    for (let i = 0; i < 50_000; i++) {
      const { isBlocked } = await spend(`user-${i}`);
      if (isBlocked) throw new Error(`the first request of user-${i} was refused`);
    }
    for (let i = 50_000; i < 200_000; i++) await spend(`user-${i}`);
    expect(kept().reduce((sum, size) => sum + size)).toBeLessThanOrEqual(50_000 + 4096);
  });

  it('forgets no budget that was spent from, however many others come by and however long they go on', async () => {
    const { clock, spend } = budgets();
    for (let i = 0; i < 10; i++) await spend('ada');
    for (let i = 0; i < 200_000; i++) {
      await spend(`user-${i}`);
      if (i % 40_000 === 0) expect(await spend('ada')).toMatchObject({ isBlocked: true, timeToBlockExpire: 6 });
    }
    clock.advance(5);
    for (let i = 200_000; i < 300_000; i++) await spend(`user-${i}`);
    expect(await spend('ada')).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 });
  });

  it('forgets what has been restored, and has room again', async () => {
    const { clock, spend, kept } = budgets();
    for (let i = 0; i < 60_000; i++) await spend(`user-${i}`);
    clock.advance(60);
    for (let i = 0; i < 10; i++) expect(await spend('new')).toMatchObject({ isBlocked: false });
    expect(kept()).toEqual([1]);
  });

  it('keeps kinds apart: no flood of addresses takes the room of accounts', async () => {
    const { spend } = budgets();
    for (let i = 0; i < 60_000; i++) await spend(`address-${i}`, 'ip');
    for (let i = 0; i < 20_000; i++) expect((await spend(`user-${i}`)).isBlocked).toBe(false);
  });

  it('gives back what a success cost, and never more than there was', async () => {
    const { storage, spend, kept } = budgets();
    for (let i = 0; i < 10; i++) await spend('ada');
    await storage.restore('ada', 60_000, 10, 'account');
    expect(await spend('ada')).toMatchObject({ isBlocked: false });
    expect(await spend('ada')).toMatchObject({ isBlocked: true });
    for (let i = 0; i < 20; i++) await storage.restore('ada', 60_000, 10, 'account');
    expect(kept()).toEqual([0]);
    for (let i = 0; i < 10; i++) expect(await spend('ada')).toMatchObject({ isBlocked: false });
    expect(await spend('ada')).toMatchObject({ isBlocked: true });
  });

  it('takes no room for clients that do not exist', async () => {
    await withTarget({}, async (target) => {
      const clients = target.app.get(ClientService);
      for (let i = 0; i < 1200; i++) expect(await clients.find(`nobody-${i}`)).toBeUndefined();
      const { size } = Reflect.get(clients, 'cache') as { size: number };
      expect(size).toBeLessThanOrEqual(10);
    });
  });
});
