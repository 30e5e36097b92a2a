import type { EndReason } from '../src/core/sessions/ending.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { RefreshTokens } from '../src/core/sessions/refresh-token.js';
import { UserService } from '../src/core/users/user.service.js';
import { type User, Users } from '../src/core/users/users.js';
import { signedIn, signIn as signInAt } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';

const DEVICE = { 'x-device-id': 'phone-1' };

describe('refresh: one living token per session', () => {
  let service: Service;
  let sub: string;
  let backend: { client_id: string; client_secret?: string };

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app' });
    await service.client({ id: 'other' });
    await service.client({ id: 'short', refresh_token_ttl: 100 });
    backend = await service.client({ id: 'backend', public: false });
    sub = await service.user('ada', 'correct horse', ['admins']);
  });
  afterAll(() => service.close());

  const signIn = async (client: object = {}, headers: Record<string, string> = DEVICE) =>
    (await signInAt(service, client, headers)).refresh_token;
  const refresh = (refresh_token: string, headers: Record<string, string> = DEVICE, more: object = {}) =>
    service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token, ...more }, headers);
  const rows = async () => {
    return service.sql<Record<string, unknown>>('SELECT * FROM auth_session');
  };

  it('answers with the documented body, and the next refresh token', async () => {
    const first = await signIn();
    const { status, body } = await refresh(first);
    expect(body).toEqual(signedIn({ sub, scope: 'openid profile', groups: ['admins'] }));
    expect(status).toBe(200);
    expect(body.refresh_token).not.toBe(first);
  });

  it('1: keeps one row per sign-in, however often it is refreshed, and no token in it', async () => {
    const before = (await rows()).length;
    let token = await signIn();
    const seen = [token];
    for (let i = 0; i < 5; i++) seen.push((token = (await refresh(token)).body.refresh_token));
    const after = await rows();
    expect(after).toHaveLength(before + 1);
    expect(new Set(seen).size).toBe(6);
    const stored = JSON.stringify(after);
    for (const one of seen) expect(stored).not.toContain(one.slice(30));
  });

  it.each([
    ['garbage', 'garbage'],
    ['a token of another service', `m.${Buffer.alloc(52, 7).toString('base64url')}`],
  ])('1: refuses %s before any query', async (_, token) => {
    expectError(await refresh(token), {
      error: 'invalid_grant',
      reason: 'REFRESH_TOKEN_INVALID',
      message: 'The refresh token is wrong. Sign in again.',
    });
  });

  it('3: answers a retry by the same device with the very same successor', async () => {
    const first = await signIn();
    const once = await refresh(first);
    service.clock.advance(10);
    const again = await refresh(first);
    expect(again.body.refresh_token).toBe(once.body.refresh_token);
    expect(again.status).toBe(200);
    expect((await refresh(again.body.refresh_token)).status).toBe(200);
  });

  it('3: answers a retry by an authenticated confidential client, from whatever device', async () => {
    const first = await signIn(backend, {});
    const once = await refresh(first, {}, backend);
    const again = await refresh(first, { 'x-device-id': 'another' }, backend);
    expect(again.body.refresh_token).toBe(once.body.refresh_token);
  });

  it.each([
    ['after the window', DEVICE, 11],
    ['from another device', { 'x-device-id': 'thief' }, 1],
    ['without a device id', {}, 1],
  ])('4: takes a replaced token presented %s for theft and ends the session', async (_, headers, wait) => {
    const first = await signIn();
    const { body } = await refresh(first);
    service.clock.advance(wait);
    expectError(await refresh(first, headers), {
      error: 'invalid_grant',
      reason: 'REFRESH_TOKEN_REUSED',
    });
    expectError(await refresh(body.refresh_token), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
    expect(service.log).toContainEqual(expect.objectContaining({ event: 'refresh_token_reused', sub }));
  });

  it('3: answers a retry by a public client that never sends a device id with the very same successor', async () => {
    const first = await signIn({ client_id: 'app' }, {});
    const once = await refresh(first, {});
    expect((await refresh(first, {})).body.refresh_token).toBe(once.body.refresh_token);
  });

  it('4: takes anything older than the last replaced token for theft, even at once', async () => {
    const first = await signIn();
    const second = (await refresh(first)).body.refresh_token;
    const third = (await refresh(second)).body.refresh_token;
    expectError(await refresh(first), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
    expectError(await refresh(third), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
  });

  it('2, 3: gives 50 parallel refreshes of one token the one successor', async () => {
    const first = await signIn();
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(50).fill(200));
    expect(new Set(answers.map((answer) => answer.body.refresh_token)).size).toBe(1);
    expect((await refresh(answers[0]!.body.refresh_token)).status).toBe(200);
  });

  it('2: moves a row that lost rotations (power cut, restored backup) on, and still catches a thief after it', async () => {
    const first = await signIn();
    const second = (await refresh(first)).body.refresh_token;
    const third = (await refresh(second)).body.refresh_token;
    const { sessionId } = service.app.get(RefreshTokens).read(third)!;
    await service.sql('UPDATE auth_session SET generation = 0, rotated_at = NULL WHERE id = ?', [sessionId]);
    const fourth = await refresh(third);
    expect(fourth.status).toBe(200);
    expectError(await refresh(second), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
    expectError(await refresh(fourth.body.refresh_token), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
  });

  it('5: narrows the scope of this access token alone (RFC 6749 §6)', async () => {
    const narrow = await refresh(await signIn(), DEVICE, { scope: 'profile' });
    expect(narrow.body).toMatchObject({ scope: 'profile' });
    expect(narrow.body).not.toHaveProperty('id_token');
    expect((await refresh(narrow.body.refresh_token)).body.scope).toBe('openid profile');
  });

  it('5: refuses a wider scope, and the token is not used up', async () => {
    const token = await signIn();
    expectError(await refresh(token, DEVICE, { scope: 'openid email' }), {
      error: 'invalid_scope',
      reason: 'SCOPE_WIDENED',
    });
    const { status, body } = await refresh(token);
    expect([status, body.scope]).toEqual([200, 'openid profile']);
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });

  it('5: refuses another client, and the session lives on', async () => {
    const token = await signIn();
    expectError(await refresh(token, DEVICE, { client_id: 'other' }), {
      error: 'invalid_grant',
      reason: 'REFRESH_TOKEN_INVALID',
    });
    expect((await refresh(token)).status).toBe(200);
  });

  it('expires with the session, which refreshing never extends', async () => {
    let token = await signIn({ client_id: 'short' });
    service.clock.advance(60);
    token = (await refresh(token, DEVICE, { client_id: 'short' })).body.refresh_token;
    service.clock.advance(40);
    expectError(await refresh(token, DEVICE, { client_id: 'short' }), {
      error: 'invalid_grant',
      reason: 'REFRESH_TOKEN_EXPIRED',
      message: 'The refresh token has expired. Sign in again.',
    });
  });

  it('6: gives the token back where the user table fails after the rotation, and says so', async () => {
    const token = await signIn();
    const users = service.app.get(Users);
    const find = users.find.bind(users);
    users.find = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    expectError(await refresh(token, {}), { error: 'unavailable', reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 });
    users.find = find;
    service.clock.advance(60);
    expect((await refresh(token, { 'x-device-id': 'whichever' })).status).toBe(200);
  });

  describe('7: nothing works any more after', () => {
    type End = (sessions: SessionService, users: UserService, id: string) => Promise<unknown>;

    it.each<[string, EndReason, End]>([
      ['a revoke of the session', 'SESSION_REVOKED', (sessions, _, id) => sessions.revoke(id)],
      ['a revoke of all sessions of the user', 'SESSION_REVOKED', (sessions) => sessions.revokeAll({ sub })],
      ['a revoke of those of the client', 'SESSION_REVOKED', (sessions) => sessions.revokeAll({ clientId: 'app' })],
      ['a password change', 'CREDENTIALS_CHANGED', (_, users) => users.setPassword(sub, 'correct horse')],
      ['disabling the user', 'USER_DISABLED', (_, users) => users.setDisabled(sub, true)],
    ])('%s, and says so (%s)', async (_, reason, end) => {
      const users = service.app.get(UserService);
      const token = await signIn();
      service.clock.advance(5); // beyond every cache
      await end(service.app.get(SessionService), users, service.app.get(RefreshTokens).read(token)!.sessionId);
      expectError(await refresh(token), { error: 'invalid_grant', reason });
      await users.setDisabled(sub, false);
      service.clock.advance(5);
      expectError(await refresh(token), { error: 'invalid_grant', reason });
      service.clock.advance(1);
      expect((await refresh(await signIn())).status).toBe(200);
    });

    it('a password change that happened while the old password was being checked', async () => {
      const users = service.app.get(Users);
      const verify = users.verify.bind(users);
      users.verify = async (username, password): Promise<User | undefined> => {
        const user = await verify(username, password);
        service.clock.advance(1);
        await service.app.get(UserService).setPassword(sub, 'correct horse');
        return user;
      };
      const response = await service.token({
        client_id: 'app',
        grant_type: 'password',
        username: 'ada',
        password: 'correct horse',
      });
      users.verify = verify;
      expectError(response, { error: 'invalid_grant', reason: 'CREDENTIALS_CHANGED' });
      expect((await service.app.get(SessionService).list(sub)).at(0)?.revoked_at).toBe(service.clock.now());
    });
  });
});
