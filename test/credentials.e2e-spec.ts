import request from 'supertest';
import { SessionService } from '../src/core/sessions/session.service.js';
import { PasswordHasher } from '../src/core/users/password-hasher.js';
import { UserService } from '../src/core/users/user.service.js';
import { ClientService, type User, Users } from '../src/index.js';
import { signIn } from './fixtures.js';
import { startHost } from './host.js';
import { expectError, type Service } from './service.js';
import { asAda, browserOfAda, startBeside, startWithAda, WAYS_IN } from './ways-in.js';
import { titleOf, Visitor } from './visitor.js';

const ENDED = { error: 'invalid_grant', reason: 'CREDENTIALS_CHANGED' } as const;

describe('a sign-in holds while the credentials are those that it was checked against', () => {
  let service: Service;
  /** Another process on the same database, whose clock is an hour behind. */
  let other: Service;
  let sub: string;

  beforeEach(async () => {
    ({ service, sub } = await startWithAda());
    other = await startBeside(service);
    other.clock.advance(-3600);
  });
  afterEach(async () => {
    await other.close();
    await service.close();
  });

  const ends: [string, (users: UserService) => Promise<void>][] = [
    ['another password', (users) => users.setPassword(sub, 'battery staple')],
    [
      'disabling, and enabling again',
      async (users) => {
        await users.setDisabled(sub, true);
        await users.setDisabled(sub, false);
      },
    ],
    [
      'having to wait for approval, and getting it',
      async (users) => {
        await users.setPending(sub, true);
        await users.setPending(sub, false);
      },
    ],
  ];

  describe.each(ends)('%s ends', (_, end) => {
    it.each(Object.entries(WAYS_IN))('%s, by whichever process and clock', async (_way, prove) => {
      const redeem = await prove(service);
      await end(other.app.get(UserService));
      service.clock.advance(5); // beyond every cache
      expectError(await redeem(), ENDED);
    });

    it("a browser's sign-in", async () => {
      const visitor = await browserOfAda(service);
      await end(other.app.get(UserService));
      expect(titleOf(await visitor.authorize())).toBe('Sign in');
    });

    it('an access token, wherever it is asked whether it lives', async () => {
      const { access_token } = await signIn(service);
      await end(other.app.get(UserService));
      service.clock.advance(5);
      expect((await asAda(service, access_token)('get', '/user/me')).status).toBe(401);
    });
  });

  it('a password that is replaced while it is being checked opens no session, though the clock runs backwards', async () => {
    const hasher = service.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    hasher.verify = async (...args) => {
      const matches = await verify(...args);
      service.clock.advance(-7200);
      await other.app.get(UserService).setPassword(sub, 'battery staple');
      return matches;
    };
    const sent = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    expectError(await service.token(sent), ENDED);
    const sessions = await service.app.get(SessionService).list(sub);
    expect(sessions.map(({ revoked_at }) => revoked_at)).toEqual([service.clock.now()]);
  });

  it('a password that is replaced while it is being checked signs no browser in', async () => {
    const hasher = service.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    hasher.verify = async (...args) => {
      const matches = await verify(...args);
      await other.app.get(UserService).setPassword(sub, 'battery staple');
      return matches;
    };
    const visitor = new Visitor(service.url);
    expect(titleOf(await visitor.signIn(await visitor.authorize()))).toBe('Sign in');
  });

  it('a password that is replaced while it is being checked changes no password', async () => {
    const call = asAda(service, (await signIn(service)).access_token);
    const hasher = service.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    hasher.verify = async (...args) => {
      const matches = await verify(...args);
      await other.app.get(UserService).setPassword(sub, 'the one that counts');
      return matches;
    };
    const change = { password: 'correct horse', new_password: 'of the thief' };
    expectError(await call('post', '/user/basic/edit', change), {
      error: 'unauthenticated',
      reason: 'ACCESS_TOKEN_INVALID',
    });
    hasher.verify = verify;
    const sent = { client_id: 'app', grant_type: 'password', username: 'ada' };
    expect((await service.token({ ...sent, password: 'of the thief' })).status).toBe(400);
    expect((await service.token({ ...sent, password: 'the one that counts' })).status).toBe(200);
  });

  it('a sudo token is worth nothing after a change of the password', async () => {
    const call = asAda(service, (await signIn(service)).access_token);
    const { sudo_token } = (await call('post', '/user/sudo', { password: 'correct horse' })).body;
    const change = { password: 'correct horse', new_password: 'battery staple' };
    expect((await call('post', '/user/basic/edit', change)).status).toBe(200);
    expectError(await call('patch', '/user/password', { sudo_token, new_password: 'yet another one' }), {
      error: 'invalid_verification_code',
      reason: 'SUDO_TOKEN_INVALID',
    });
  });

  it('changing the password keeps the session that changes it, whenever it is refreshed and by which process', async () => {
    const device = { 'x-device-id': 'a-device' };
    const first = await signIn(service, {}, device);
    const elsewhere = await signIn(service);
    let token = first.refresh_token;
    const refresh = async (process: Service) => {
      const { status, body } = await process.token(
        { client_id: 'app', grant_type: 'refresh_token', refresh_token: token },
        device,
      );
      token = (body.refresh_token as string | undefined) ?? token;
      return status;
    };
    other.clock.advance(3600);
    expect(await refresh(other)).toBe(200); // from now on it has the user in its cache
    const sessions = service.app.get(SessionService);
    const reauthenticate = sessions.reauthenticate.bind(sessions);
    const between: number[] = [];
    sessions.reauthenticate = async (...args) => {
      between.push(await refresh(other), await refresh(service));
      await reauthenticate(...args);
      between.push(await refresh(other), await refresh(service));
    };
    const change = { password: 'correct horse', new_password: 'battery staple' };
    expect((await asAda(service, first.access_token)('post', '/user/basic/edit', change)).status).toBe(200);
    expect(between).toEqual([200, 200, 200, 200]);
    other.clock.advance(5);
    expect([await refresh(other), await refresh(service)]).toEqual([200, 200]);
    const ended = { client_id: 'app', grant_type: 'refresh_token', refresh_token: elsewhere.refresh_token };
    expectError(await service.token(ended), ENDED);
  });

  it('a sign-in by the new password outlives what another process has in its cache', async () => {
    const before = await signIn(other);
    const refresh = ({ refresh_token }: { refresh_token: string }) =>
      other.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
    expect((await refresh(before)).status).toBe(200);
    await service.app.get(UserService).setPassword(sub, 'battery staple');
    expect((await refresh(await signIn(service, { password: 'battery staple' }))).status).toBe(200);
  });
});

describe("a host's users", () => {
  const ada: User = { sub: 'host-1', groups: [], disabled: false };
  let user: User;

  class HostUsers extends Users {
    async verify(): Promise<User> {
      return user;
    }

    async find(): Promise<User> {
      return user;
    }
  }

  it.each<[string, Partial<User>, Partial<User>, boolean]>([
    ['with versions hold while the version is the same', { version: 3 }, { version: 3 }, true],
    ['with versions end with the version', { version: 3 }, { version: 4 }, false],
    ['that begin to have versions at 0 go on', {}, { version: 0 }, true],
    ['with moments hold from that moment on', { validAfter: 0 }, { validAfter: 1_000 }, true],
    ['with moments end before that moment', { validAfter: 0 }, { validAfter: Number.MAX_SAFE_INTEGER }, false],
    ['with neither hold', {}, {}, true],
    ['that have to wait for approval end', {}, { pending: true }, false],
  ])('%s', async (_, before, after, holds) => {
    const host = await startHost({}, { providers: [{ provide: Users, useClass: HostUsers }] });
    await host.app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password', 'refresh_token'] });
    const token = (body: object) =>
      request(host.url)
        .post('/auth/v1/token')
        .send({ client_id: 'app', ...body });
    user = { ...ada, ...before };
    const { body } = await token({ grant_type: 'password', username: 'ada', password: 'correct horse' });
    user = { ...ada, ...after };
    const refreshed = await token({ grant_type: 'refresh_token', refresh_token: body.refresh_token as string });
    if (holds) expect(refreshed.status).toBe(200);
    else expectError(refreshed, after.pending ? { ...ENDED, reason: 'USER_PENDING' } : ENDED);
    await host.close();
  });
});
