import { canonicalAddress, networkOf } from '../src/base/http/address.js';
import { RefreshTokens } from '../src/core/sessions/refresh-token.js';
import { Users } from '../src/core/users/users.js';
import { signIn as signInAt } from './fixtures.js';
import { dpopProof, keyPair } from './jwts.js';
import { expectError, ISSUER, type Service, startService } from './service.js';

type Headers = Record<string, string>;

const HOME = '203.0.113.7';
const TRAIN = '198.51.100.20';
const LIBRARY = '192.0.2.33';
const NO_DEVICE: Headers = {};
const DEVICE: Headers = { 'x-device-id': 'phone-1' };

describe('refresh, 3: who may repeat an exchange, and from where', () => {
  let service: Service;
  let backend: { client_id: string; client_secret?: string };

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false }, settings: { trustProxy: 1 } });
    await service.client({ id: 'app' });
    await service.client({ id: 'never', refresh_retry_window: 0 });
    await service.client({ id: 'patient', refresh_retry_window: 60 });
    backend = await service.client({ id: 'backend', public: false });
    await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const signIn = async (client: object = {}, headers: Headers = {}) =>
    (await signInAt(service, client, headers)).refresh_token;
  const send = (refresh_token: string, ip: string, headers: Headers = {}, client: object = { client_id: 'app' }) =>
    service.token({ ...client, grant_type: 'refresh_token', refresh_token }, { 'x-forwarded-for': ip, ...headers });
  /** The successor, which must be given. */
  const next = async (...sent: Parameters<typeof send>): Promise<string> => {
    const { status, body } = await send(...sent);
    expect([status, body]).toEqual([200, expect.objectContaining({ refresh_token: expect.any(String) })]);
    return (body as { refresh_token: string }).refresh_token;
  };
  /** One token sent from each of these places, one after the other; all must get the one successor. */
  const round = async (token: string, from: string[], headers: Headers = {}, client?: object): Promise<string> => {
    const successors = new Set<string>();
    for (const ip of from) successors.add(await next(token, ip, headers, client));
    expect(successors.size).toBe(1);
    service.clock.advance(7200);
    return [...successors][0]!;
  };
  const expectTheft = async (token: string, ip: string, headers: Headers = {}, client?: object) => {
    expectError(await send(token, ip, headers, client), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
  };
  const expectEnded = async (token: string, ip: string, headers: Headers = {}) => {
    expectError(await send(token, ip, headers), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
  };
  const sessionOf = (token: string) => service.app.get(RefreshTokens).read(token)!.sessionId;
  const recorded = (event: string, token: string) =>
    service.log.filter((line) => line['event'] === event && line['sessionId'] === sessionOf(token));

  describe.each([
    ['without a device id', NO_DEVICE],
    ['with a device id', DEVICE],
  ])('an honest public client %s', (_, device) => {
    it('gets one successor for eight parallel refreshes, round after round', async () => {
      let token = await signIn({}, device);
      for (let i = 0; i < 3; i++) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => next(token, HOME, device)));
        expect(new Set(answers).size).toBe(1);
        token = answers[0]!;
      }
    });

    it('loses answers as often as it likes', async () => {
      let token = await signIn({}, device);
      for (let i = 0; i < 5; i++) token = await round(token, [HOME, HOME, HOME], device);
    });

    it.each([
      ['in the middle of a lost answer', [[HOME, TRAIN]]],
      ['while its SDK sends the token three times', [[HOME, TRAIN, TRAIN]]],
      ['and changes back within one round', [[HOME, TRAIN, HOME]]],
      ['twice within one round', [[HOME, TRAIN, LIBRARY]]],
      ['and changes back in the next round', [[HOME, TRAIN, TRAIN], [TRAIN, HOME, HOME], [HOME]]],
      ['and on to a third in the next round', [[HOME, TRAIN], [TRAIN, LIBRARY], [LIBRARY, HOME], [HOME]]],
      ['in the same way again, with a quiet round between', [[HOME, TRAIN], [HOME], [HOME, TRAIN], [TRAIN]]],
      ['and has been at two places of one network', [[HOME, '203.0.113.99'], [HOME, '203.0.113.99'], [HOME]]],
    ])('keeps its session where its phone changes networks %s', async (_how, rounds) => {
      let token = await signIn({}, device);
      for (const places of rounds) token = await round(token, places, device);
      await next(token, HOME, device);
    });

    it('keeps its session with three tabs behind addresses that change all the time', async () => {
      let token = await signIn({}, device);
      for (let i = 0; i < 10; i++) {
        const tabs = await Promise.all([1, 2, 3].map((tab) => next(token, `10.${i}.${tab}.9`, device)));
        expect(new Set(tabs).size).toBe(1);
        token = tabs[0]!;
        service.clock.advance(7200);
      }
    });
  });

  describe.each([
    ['without a device id', NO_DEVICE],
    ['with the device id', DEVICE],
  ])('a thief in step with the client, %s, from a network of their own', (_, device) => {
    it.each([
      ['always second', HOME, TRAIN],
      ['always first', TRAIN, HOME],
      ['always second by IPv6', HOME, '2001:db8:7:1::9'],
      ['always first by IPv6', '2001:db8:7:1::9', '2001:db8:8:1::9'],
    ])('is gone at the second round, %s, and the session with them', async (_how, first, second) => {
      const start = await signIn({}, device);
      const token = await round(start, [first, second], device);
      const successor = await next(token, first, device);
      await expectTheft(token, second, device);
      await expectEnded(successor, first, device);
      expect(recorded('refresh_token_repeated_elsewhere', start)).toHaveLength(1);
      const networks = { rotatedFrom: expect.any(String), repeatedFrom: expect.any(String) };
      expect(recorded('refresh_token_reused', start)).toEqual([expect.objectContaining(networks)]);
    });

    it('is gone, whatever the address within their network, and however often both send', async () => {
      const token = await round(await signIn({}, device), [HOME, HOME, TRAIN, TRAIN, HOME], device);
      for (const ip of ['203.0.113.200', HOME]) await next(token, ip, device);
      await expectTheft(token, '198.51.100.77', device);
    });

    it('is gone at the round after, where the client has moved', async () => {
      let token = await round(await signIn({}, device), [HOME, TRAIN], device);
      token = await round(token, [LIBRARY, TRAIN], device);
      await next(token, LIBRARY, device);
      await expectTheft(token, TRAIN, device);
    });
  });

  it('records a repeat from elsewhere once a round, with a hash of both networks and no address', async () => {
    const start = await signIn();
    const token = await round(start, [HOME, TRAIN, TRAIN]);
    await round(token, [TRAIN, HOME]);
    const [there, back] = recorded('refresh_token_repeated_elsewhere', start);
    expect(there).toMatchObject({
      clientId: 'app',
      requestId: expect.any(String),
      rotatedFrom: expect.stringMatching(/^[\w-]{22}$/),
      repeatedFrom: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(back).toMatchObject({ rotatedFrom: there!['repeatedFrom'], repeatedFrom: there!['rotatedFrom'] });
    expect(JSON.stringify([there, back])).not.toContain('198.51');
    expect(recorded('refresh_token_repeated_elsewhere', start)).toHaveLength(2);
  });

  it('remembers over a restart, and between processes', async () => {
    const token = await round(await signIn(), [HOME, TRAIN]);
    const other = await startService({ settings: { databaseUrl: service.databaseUrl, trustProxy: 1 } });
    const there = (ip: string) =>
      other.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token: token }, { 'x-forwarded-for': ip });
    expect((await there(HOME)).status).toBe(200);
    expectError(await there(TRAIN), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
    await other.close();
  });

  it.each<[string, Headers, Headers]>([
    ['from another device', DEVICE, { 'x-device-id': 'thief' }],
    ['without the device id that it was rotated with', DEVICE, NO_DEVICE],
    ['with a device id where it was rotated without one', NO_DEVICE, DEVICE],
  ])('takes a repeat %s for theft, in the same network, too', async (_, mine, theirs) => {
    const token = await signIn({}, mine);
    const successor = await next(token, HOME, mine);
    await expectTheft(token, HOME, theirs);
    await expectEnded(successor, HOME, mine);
  });

  it.each([NO_DEVICE, DEVICE])('takes what is older than the last replaced token for theft (%j)', async (device) => {
    const first = await signIn({}, device);
    const second = await next(first, HOME, device);
    const third = await next(second, HOME, device);
    await expectTheft(first, HOME, device);
    await expectEnded(third, HOME, device);
  });

  it('closes the window after ten seconds, from one network, too', async () => {
    const token = await signIn();
    await next(token, HOME);
    service.clock.advance(10);
    await next(token, HOME);
    service.clock.advance(1);
    await expectTheft(token, HOME);
  });

  it('lets a client have a window of its own, and 0 means theft at once', async () => {
    const [never, patient] = [{ client_id: 'never' }, { client_id: 'patient' }];
    const one = await signIn(never, DEVICE);
    await next(one, HOME, DEVICE, never);
    await expectTheft(one, HOME, DEVICE, never);
    const two = await signIn(patient);
    await next(two, HOME, {}, patient);
    service.clock.advance(60);
    await next(two, HOME, {}, patient);
    service.clock.advance(1);
    await expectTheft(two, HOME, {}, patient);
  });

  it('leaves an authenticated confidential client alone, whose servers are everywhere', async () => {
    let token = await signIn(backend);
    for (let i = 0; i < 4; i++) token = await round(token, [HOME, TRAIN], {}, backend);
    expect(recorded('refresh_token_repeated_elsewhere', token)).toEqual([]);
    const rows = await service.sql<object>(
      'SELECT rotated_by_network, repeated_networks FROM auth_session WHERE id = ?',
      [sessionOf(token)],
    );
    expect(rows).toEqual([{ rotated_by_network: null, repeated_networks: null }]);
  });

  it('leaves whoever proves the key that the session is bound to alone (RFC 9449 §5)', async () => {
    const key = await keyPair();
    const proven = async () => ({ DPoP: await dpopProof(key, service.clock.now(), `${ISSUER}/auth/v1/token`) });
    let token = await signIn({}, await proven());
    for (let i = 0; i < 3; i++) {
      const successor = await next(token, HOME, await proven());
      expect(await next(token, TRAIN, await proven())).toBe(successor);
      token = successor;
    }
    expect(recorded('refresh_token_repeated_elsewhere', token)).toEqual([]);
  });

  it('does not take a proof of any key for one of the key that a session is bound to', async () => {
    const key = await keyPair();
    const proven = async () => ({ DPoP: await dpopProof(key, service.clock.now(), `${ISSUER}/auth/v1/token`) });
    const token = await signIn();
    const second = await next(token, TRAIN, await proven());
    await next(token, HOME);
    await next(second, TRAIN, await proven());
    await expectTheft(second, HOME);
  });

  it('gives the token back where the user table is away, and the round still counts as one', async () => {
    const token = await signIn();
    const users = service.app.get(Users);
    const find = users.find.bind(users);
    users.find = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    expectError(await send(token, HOME), { error: 'unavailable', reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 });
    users.find = find;
    const second = await round(token, [TRAIN, HOME]);
    await next(second, TRAIN);
    await expectTheft(second, HOME);
  });

  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.0/24'],
    ['::FFFF:cb00:7107', '203.0.113.0/24'],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:7:1::9', '2001:db8:7::/48'],
    ['2001:0DB8:0007:ffff:0:0:0:1', '2001:db8:7::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['::', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
  ])('counts %s to the network %s', (ip, network) =>
    expect(networkOf(canonicalAddress(ip)!, { v4: 24, v6: 48 })).toBe(network),
  );
});
