import { hostname, userInfo } from 'node:os';
import request from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import type { EndActor, EndReason } from '../src/core/sessions/ending.js';
import { RefreshTokens } from '../src/core/sessions/refresh-token.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { SessionStories } from '../src/core/sessions/session-story.js';
import { SignOutService } from '../src/core/sessions/sign-out.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { redeem, signIn, type Tokens } from './fixtures.js';
import { expectError, type Service } from './service.js';
import { asAda, browserOfAda, EMAIL, runCommand, startWithAda, verificationToken } from './ways-in.js';
import { answerOf } from './visitor.js';

const PHONE = { 'x-device-id': 'phone' };
const LAPTOP = { 'x-device-id': 'laptop' };
/** Where every request of this test seems to come from. */
const HERE = '203.0.113.9';

describe('a session that has ended knows why', () => {
  let service: Service;
  let sub: string;

  beforeEach(async () => {
    ({ service, sub } = await startWithAda({ settings: { trustProxy: 1 }, auth: { maxDevices: 2 } }));
  });
  afterEach(() => service.close());

  const at = (headers: object = {}) => ({ 'x-forwarded-for': HERE, ...headers });
  const ada = () => signIn(service, {}, at(PHONE));
  const refresh = (refresh_token: string, headers: object = PHONE) =>
    service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token }, at(headers));
  const idOf = (token: string) => service.app.get(RefreshTokens).read(token)!.sessionId;
  const storyOf = async (token: string) => (await service.app.get(SessionStories).of(idOf(token)))!;
  const post = (path: string, body: object, bearer?: string) =>
    request(service.url)
      .post(path)
      .set(at(LAPTOP))
      .set(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` })
      .send(body);
  const remove = (path: string, bearer: string) =>
    request(service.url)
      .delete(path)
      .set(at({ ...LAPTOP, authorization: `Bearer ${bearer}` }));

  type Way = (tokens: Tokens) => Promise<unknown>;
  const operator = `${userInfo().username}@${hostname()}`;

  it.each<[string, EndReason, EndActor, string | undefined, string | undefined, Way]>([
    [
      'signs out',
      'SIGNED_OUT',
      'user',
      HERE,
      'laptop',
      ({ access_token }) => post('/auth/v1/user/signout', {}, access_token),
    ],
    [
      'has the client revoke a token',
      'SIGNED_OUT',
      'client',
      HERE,
      'laptop',
      ({ refresh_token }) => post('/oauth2/revoke', { client_id: 'app', token: refresh_token }),
    ],
    [
      'signs out everywhere',
      'SIGNED_OUT',
      'user',
      HERE,
      'laptop',
      ({ access_token }) => remove('/auth/v1/user/revoke/all', access_token),
    ],
    [
      'signs the device out',
      'DEVICE_SIGNED_OUT',
      'user',
      HERE,
      'laptop',
      ({ access_token }) => remove('/auth/v1/user/authorized/devices/phone', access_token),
    ],
    [
      'signs in on more devices than they may have',
      'DEVICE_LIMIT',
      'server',
      HERE,
      'tablet',
      async () => {
        service.clock.advance(1);
        await signIn(service, {}, at(LAPTOP));
        service.clock.advance(1);
        await signIn(service, {}, at({ 'x-device-id': 'tablet' }));
      },
    ],
    [
      'changes the password in another session',
      'CREDENTIALS_CHANGED',
      'user',
      HERE,
      'laptop',
      async () => {
        const { access_token } = await signIn(service, {}, at(LAPTOP));
        const change = { password: 'correct horse', new_password: 'battery staple' };
        expect((await post('/auth/v1/user/basic/edit', change, access_token)).status).toBe(200);
      },
    ],
    [
      'resets the password',
      'CREDENTIALS_CHANGED',
      'user',
      HERE,
      'laptop',
      async () => {
        const proof = {
          email: EMAIL,
          new_password: 'battery staple',
          verification_token: await verificationToken(service),
        };
        expect((await post('/auth/v1/reset', { client_id: 'app', ...proof })).status).toBe(200);
      },
    ],
    [
      'is disabled',
      'USER_DISABLED',
      'operator',
      operator,
      undefined,
      () => runCommand(service, 'users', 'disable', 'ada'),
    ],
    [
      'loses the client',
      'CLIENT_DISABLED',
      'operator',
      operator,
      undefined,
      () => runCommand(service, 'clients', 'disable', 'app'),
    ],
    [
      'loses what the client may do',
      'CLIENT_CHANGED',
      'operator',
      undefined,
      undefined,
      () => service.app.get(ClientService).update('app', { first_party: false }),
    ],
    [
      'has the session ended by an operator',
      'SESSION_REVOKED',
      'operator',
      operator,
      undefined,
      ({ refresh_token }) => runCommand(service, 'sessions', 'revoke', idOf(refresh_token)),
    ],
    [
      'has it ended by the code of a host',
      'SESSION_REVOKED',
      'server',
      undefined,
      undefined,
      () => service.app.get(SignOutService).everywhere(sub),
    ],
    [
      'shares a refresh token with a thief',
      'REFRESH_TOKEN_REUSED',
      'server',
      HERE,
      'laptop',
      async ({ refresh_token }) => {
        await refresh(refresh_token);
        expectError(await refresh(refresh_token, LAPTOP), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
      },
    ],
  ])('of a user who %s: %s, by the %s', async (_, reason, by, from, device, end) => {
    const tokens = await ada();
    await end(tokens);
    const story = await storyOf(tokens.refresh_token);
    expect(story).toMatchObject({ state: 'ended', at: story.session.revoked_at });
    expect(story.ending).toEqual({ reason, by, from, device });
    if (reason === 'CLIENT_DISABLED') await runCommand(service, 'clients', 'enable', 'app');
    expectError(await refresh(tokens.refresh_token), { error: 'invalid_grant', reason });
  });

  it('of a code that was used twice, by the one who came second', async () => {
    const { code } = answerOf(await (await browserOfAda(service)).authorize());
    const { refresh_token } = (await redeem(service, code!)).body as Tokens;
    expectError(await redeem(service, code!), { error: 'invalid_grant', reason: 'CODE_REUSED' });
    expect((await storyOf(refresh_token)).ending).toMatchObject({ reason: 'CODE_REUSED', by: 'server' });
    expectError(await refresh(refresh_token), { error: 'invalid_grant', reason: 'CODE_REUSED' });
  });

  it('of a browser that was signed out', async () => {
    const browser = await browserOfAda(service);
    const { code } = answerOf(await browser.authorize());
    const { refresh_token } = (await redeem(service, code!)).body as Tokens;
    await browser.submit(await browser.get('/oauth2/logout'));
    expect((await storyOf(refresh_token)).ending).toMatchObject({ reason: 'SIGNED_OUT', by: 'user' });
  });

  it('is not told anew by who ends it again', async () => {
    const { access_token, refresh_token } = await ada();
    await post('/auth/v1/user/signout', {}, access_token);
    await runCommand(service, 'users', 'disable', 'ada');
    expect((await storyOf(refresh_token)).ending).toMatchObject({ reason: 'SIGNED_OUT', by: 'user' });
  });

  it('keeps no more of where it was asked for than there is room for', async () => {
    const { refresh_token } = await ada();
    const ending = { reason: 'SIGNED_OUT', by: 'user', from: 'x'.repeat(100), device: 'd'.repeat(200) } as const;
    expect(await service.app.get(SessionService).revoke(idOf(refresh_token), ending)).toBe(true);
    expect((await storyOf(refresh_token)).ending).toEqual({ ...ending, from: 'x'.repeat(64), device: 'd'.repeat(128) });
  });
});

describe('nest-auth sessions why', () => {
  let service: Service;
  let sub: string;

  beforeAll(async () => {
    ({ service, sub } = await startWithAda());
  });
  afterAll(() => service.close());

  const refresh = async (refresh_token: string): Promise<Tokens> =>
    (await service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token }, PHONE)).body as Tokens;
  const stories = () => service.app.get(SessionStories);
  const idOf = (token: string) => service.app.get(RefreshTokens).read(token)!.sessionId;
  const why = async (token: string) => (await runCommand(service, 'sessions', 'why', idOf(token))).text;
  const moment = (seconds: number) => new Date(service.clock.now() + seconds * 1000).toISOString();

  it('tells that a session is alive, and when it ends at the latest', async () => {
    const { refresh_token } = await signIn(service, {}, PHONE);
    expect(await why(refresh_token)).toBe(
      [
        `session ${idOf(refresh_token)} of the user ${sub} at the client app`,
        `signed in ${moment(0)} on the device phone`,
        `it is alive, until ${moment(2_678_400)} at the latest`,
      ].join('\n'),
    );
  });

  it('tells of a theft who the two parties were', async () => {
    const { refresh_token } = await signIn(service, {}, PHONE);
    await refresh(refresh_token);
    const rotated = moment(0);
    service.clock.advance(60);
    await service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
    expect((await why(refresh_token)).split('\n').slice(2)).toEqual([
      `last refreshed ${rotated} on the device phone`,
      `ended ${moment(0)} (REFRESH_TOKEN_REUSED): a refresh token was used again that had been replaced, so two parties held one`,
      "by the service's own rule from 127.0.0.1",
      `one party exchanged it ${rotated} on the device phone; the other came with it from 127.0.0.1 without a device id`,
    ]);
  });

  it.each<[string, (first: Tokens) => Promise<string>, string]>([
    ['the living', async ({ refresh_token }) => (await refresh(refresh_token)).refresh_token, 'living'],
    ['the one before', async ({ refresh_token }) => (await refresh(refresh_token), refresh_token), 'replaced'],
    [
      'an older',
      async ({ refresh_token }) => (await refresh((await refresh(refresh_token)).refresh_token), refresh_token),
      'older',
    ],
    [
      'a newer',
      async ({ refresh_token }) => {
        const { sessionId, generation } = service.app.get(RefreshTokens).read(refresh_token)!;
        return service.app.get(RefreshTokens).derive({ sessionId, generation: generation + 1 });
      },
      'newer',
    ],
    ['an access', async ({ access_token }) => access_token, 'access_token'],
  ])('tells what %s token is to its session', async (_, token, state) => {
    expect(await stories().ofToken(await token(await signIn(service, {}, PHONE)))).toMatchObject({ token: state });
  });

  it('tells an access token that has expired, a token that is none, and a session that is gone, apart', async () => {
    const { access_token, refresh_token } = await signIn(service);
    service.clock.advance(8000);
    expect(await stories().ofToken(access_token)).toMatchObject({ state: 'alive', token: 'access_token' });
    expect(await stories().ofToken('m.x')).toBeNull();
    await service.sql('DELETE FROM auth_session WHERE id = ?', [idOf(refresh_token)]);
    expect(await stories().ofToken(refresh_token)).toBeUndefined();
    await expect(why(refresh_token)).rejects.toThrow(
      `there is no session ${idOf(refresh_token)}: it expired and was removed, went with its user or client, or never was`,
    );
    await expect(runCommand(service, 'sessions', 'why')).rejects.toThrow('name a session, or --token-stdin');
  });

  it('tells that a session has expired, though it was refreshed', async () => {
    const { refresh_token } = await signIn(service);
    const end = moment(2_678_400);
    service.clock.advance(2_678_400);
    expect((await why(refresh_token)).split('\n').at(-1)).toBe(
      `expired ${end}: a session lasts from its sign-in on, and refreshing never extends it`,
    );
  });

  it('tells of one that goes on that its next refresh will be refused', async () => {
    const { refresh_token } = await signIn(service);
    const users = service.app.get(UserService);
    await users.setDisabled(sub, true);
    expect((await why(refresh_token)).split('\n').at(-1)).toBe(
      'its next refresh will be refused (USER_DISABLED): the user was disabled',
    );
    await users.setDisabled(sub, false);
    expect((await why(refresh_token)).split('\n').at(-1)).toBe(
      'its next refresh will be refused (CREDENTIALS_CHANGED): what the user signs in by was changed, which ends what the old one opened',
    );
  });

  it('says of one that ended before this was kept that nobody knows', async () => {
    const { refresh_token } = await signIn(service);
    await service.sql('UPDATE auth_session SET revoked_at = ? WHERE id = ?', [
      service.clock.now(),
      idOf(refresh_token),
    ]);
    expect((await why(refresh_token)).split('\n').at(-1)).toBe(`ended ${moment(0)}; why, was not kept then`);
    expectError(await service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token }), {
      error: 'invalid_grant',
      reason: 'SESSION_REVOKED',
    });
  });

  it('is shown beside its row, by sessions show', async () => {
    const { access_token, refresh_token } = await signIn(service, {}, PHONE);
    await asAda(service, access_token)('post', '/user/signout', {});
    const { json, text } = await runCommand(service, 'sessions', 'show', idOf(refresh_token));
    expect(json).toMatchObject({ id: idOf(refresh_token), end_reason: 'SIGNED_OUT', ended_by: 'user' });
    expect(text).toMatch(/^end_reason +SIGNED_OUT$/m);
  });
});
