import request from 'supertest';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { SignOutService } from '../src/core/sessions/sign-out.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { signIn } from './fixtures.js';
import type { Service } from './service.js';
import { asAda, browserOfAda, EMAIL, runCommand, startWithAda, verificationToken, WAYS_IN } from './ways-in.js';
import { titleOf } from './visitor.js';

describe('ending every session ends what is under way to become one', () => {
  let service: Service;
  let sub: string;

  beforeEach(async () => ({ service, sub } = await startWithAda()));
  afterEach(() => service.close());

  const everywhere = async () => service.app.get(SignOutService).everywhere(sub);
  const alive = async () =>
    (await service.app.get(SessionService).list(sub)).filter(({ revoked_at }) => revoked_at === null);

  const doors: [string, () => Promise<unknown>][] = [
    [
      'DELETE /user/revoke/all',
      async () => asAda(service, (await signIn(service)).access_token)('delete', '/user/revoke/all'),
    ],
    ['sessions revoke --user', () => runCommand(service, 'sessions', 'revoke', '--user', 'ada')],
    ['sessions revoke --client', () => runCommand(service, 'sessions', 'revoke', '--client', 'app')],
    [
      'sessions revoke --user --client',
      () => runCommand(service, 'sessions', 'revoke', '--user', 'ada', '--client', 'app'),
    ],
    [
      'POST /reset',
      async () => {
        const verification_token = await verificationToken(service);
        const sent = { email: EMAIL, verification_token, new_password: 'battery staple' };
        const { status } = await request(service.url).post('/auth/v1/reset?client_id=app').send(sent);
        expect(status).toBe(200);
      },
    ],
    ['users disable', () => runCommand(service, 'users', 'disable', 'ada')],
    ['clients disable', () => runCommand(service, 'clients', 'disable', 'app')],
    ['the rows alone, for a host without versions', () => service.app.get(SignOutService).end({ sub })],
  ];

  describe.each(doors)('%s', (_, end) => {
    it.each(Object.entries(WAYS_IN))('ends %s', async (_way, prove) => {
      const redeem = await prove(service);
      await end();
      const { status } = await redeem();
      expect([400, 401, 403]).toContain(status);
      expect(await alive()).toEqual([]);
    });
  });

  it.each(['DELETE /user/revoke/all', 'sessions revoke --user', 'users disable'])(
    '%s signs browsers out',
    async (name) => {
      const visitor = await browserOfAda(service);
      await doors.find(([door]) => door === name)![1]();
      await service.app.get(UserService).setDisabled(sub, false);
      expect(titleOf(await visitor.authorize())).toBe('Sign in');
    },
  );

  it('and leaves alone what belongs to others', async () => {
    await service.client({ id: 'other', first_party: true });
    await service.user('bob', 'correct horse');
    const refresh = async (more: object) => {
      const { refresh_token } = await signIn(service, more);
      const sent = { client_id: 'app', ...more, grant_type: 'refresh_token', refresh_token };
      return () => service.token(sent);
    };
    const [bobs, elsewhere] = [await refresh({ username: 'bob' }), await refresh({ client_id: 'other' })];
    await runCommand(service, 'sessions', 'revoke', '--user', 'ada', '--client', 'app');
    expect([(await bobs()).status, (await elsewhere()).status]).toEqual([200, 200]);
  });

  const redeemable = Object.entries(WAYS_IN).filter(([way]) => way !== 'a refresh token');
  const moments = ['before', 'after'] as const;
  describe.each(moments)('whether it comes %s the very use', (moment) => {
    it.each(redeemable)('of %s', async (_, prove) => {
      const redeem = await prove(service);
      for (const room of [service.app.get(AuthorizationCodeService), service.app.get(DeviceAuthorizationService)]) {
        const consume = (room.consume as (...args: unknown[]) => Promise<boolean>).bind(room);
        room.consume = async (...args: unknown[]) => {
          if (moment === 'before') await everywhere();
          const used = await consume(...args);
          if (moment === 'after') await everywhere();
          return used;
        };
      }
      expect((await redeem()).status).toBe(400);
      expect(await alive()).toEqual([]);
    });
  });

  const whole: [string, () => Promise<unknown>][] = [
    ['everywhere', everywhere],
    ['the rows alone, for a host without versions', () => service.app.get(SignOutService).end({ sub })],
  ];
  describe.each(whole)('%s', (_, end) => {
    it.each(redeemable)('though %s is being given at that moment', async (way, prove) => {
      const codes = service.app.get(AuthorizationCodeService);
      const devices = service.app.get(DeviceAuthorizationService);
      const [issue, approve] = [codes.issue.bind(codes), devices.approve.bind(devices)];
      let others = way.endsWith('from the pages') ? 1 : way.startsWith('a device') ? Infinity : 0; // a browser's first code
      codes.issue = async (...args) => {
        if (others-- <= 0) await end();
        return issue(...args);
      };
      devices.approve = async (...args) => {
        await end();
        return approve(...args);
      };
      const redeem = await prove(service);
      expect((await redeem()).status).toBe(400);
      expect(await alive()).toEqual([]);
    });
  });
});
