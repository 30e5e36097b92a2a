import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { ConsentService } from '../src/oauth/authorization/consent.service.js';
import type { PendingAuthorization } from '../src/oauth/authorization/pending-authorization.js';
import { Users } from '../src/core/users/users.js';
import { UserService } from '../src/core/users/user.service.js';
import { type Service, startService } from './service.js';

describe('the sweeper', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ auth: { refreshTokenTtl: 7200 } });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const count = async (table: string) => {
    const [row] = await service.sql(`SELECT count(*) AS n FROM ${table}`);
    return row!['n'] as number;
  };

  it('removes what has expired, in batches, and nothing that lives', async () => {
    const now = service.clock.now();
    await service.sql(
      `INSERT INTO auth_session (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
       SELECT CONCAT('old', i), 'u', 'app', '', 0, 0, 0, ? FROM n`,
      [now],
    );
    await service.token({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' });
    const client = (await service.app.get(ClientService).find('app'))!.client;
    await service.app.get(DeviceAuthorizationService).start(client);
    await service.app.get(AuthorizationCodeService).issue({
      clientId: 'app',
      sub: 'u',
      redirectUri: 'https://app.example.com/callback',
      codeChallenge: 'x'.repeat(43),
    });
    const sweeper = service.app.get(Sweeper);
    expect(await sweeper.sweep()).toBe(450);
    expect([await count('auth_session'), await count('auth_authorization_code')]).toEqual([1, 1]);
    service.clock.advance(7200);
    expect(await sweeper.sweep()).toBe(3);
    expect([
      await count('auth_session'),
      await count('auth_authorization_code'),
      await count('auth_device_authorization'),
    ]).toEqual([0, 0, 0]);
  });

  describe('removes, in time,', () => {
    const DAY = 86_400;
    const sweep = () => service.app.get(Sweeper).sweep();

    it("a client's secrets that have expired, and no other", async () => {
      await service.client({ id: 'backend', public: false });
      await service.app.get(ClientService).rotateSecret('backend', 60);
      service.clock.advance(59);
      await sweep();
      expect(await count('auth_client_secret')).toBe(2);
      service.clock.advance(1);
      await sweep();
      expect(await count('auth_client_secret')).toBe(1);
    });

    it('a consent that nobody used for a year, and none that is used', async () => {
      const consents = service.app.get(ConsentService);
      const { client } = (await service.app.get(ClientService).load('app'))!;
      const asked = { prompt: [], scope: ['openid'], redirect_uri: 'https://app.example.com/callback' };
      const isNeeded = (sub: string) => consents.isNeeded(client, sub, asked as unknown as PendingAuthorization);
      await consents.give(client, 'used', ['openid']);
      await consents.give(client, 'unused', ['openid']);
      service.clock.advance(364 * DAY);
      expect(await isNeeded('used')).toBe(false);
      await sweep();
      expect(await count('auth_consent')).toBe(2);
      service.clock.advance(DAY);
      await sweep();
      expect([await isNeeded('used'), await isNeeded('unused')]).toEqual([false, true]);
      expect(await count('auth_consent')).toBe(1);
    });

    it('an anonymous user without sessions, 90 days after they were there last', async () => {
      await service.client({ id: 'game', grant_types: ['anonymous', 'refresh_token'], refresh_token_ttl: 31 * DAY });
      const visit = async (more: object = {}) => {
        const sent = { client_id: 'game', grant_type: 'anonymous', ...more };
        return (await service.token(sent, { 'x-device-id': 'one' })).body as { sub: string; access_token: string };
      };
      const anonymous = async () => {
        const rows = await service.sql("SELECT id FROM auth_user WHERE username <> 'ada'");
        return (rows as { id: string }[]).map(({ id }) => id);
      };
      const [gone, back] = [await visit(), await visit()];
      service.clock.advance(30 * DAY);
      expect((await visit({ anonymous_token: back.access_token })).sub).toBe(back.sub);
      service.clock.advance(59 * DAY);
      await sweep(); // all of their sessions
      expect(await count('auth_session')).toBe(0);
      expect((await anonymous()).sort()).toEqual([gone.sub, back.sub].sort());
      service.clock.advance(DAY);
      await sweep();
      expect(await anonymous()).toEqual([back.sub]);
      service.clock.advance(30 * DAY);
      await sweep();
      expect(await anonymous()).toEqual([]);
    });

    it('no anonymous user with a session, and nobody who has a name', async () => {
      await service.client({ id: 'long', grant_types: ['anonymous'], refresh_token_ttl: 200 * DAY });
      const sent = { client_id: 'long', grant_type: 'anonymous' };
      const { sub } = (await service.token(sent, { 'x-device-id': 'three' })).body as { sub: string };
      service.clock.advance(199 * DAY);
      await sweep();
      expect(await service.sql('SELECT username FROM auth_user ORDER BY username')).toEqual(
        [{ username: sub }, { username: 'ada' }].sort((a, b) => (a.username < b.username ? -1 : 1)),
      );
    });

    it('no anonymous user who comes back while the sweep is looking', async () => {
      const sent = { client_id: 'game', grant_type: 'anonymous' };
      const { sub } = (await service.token(sent, { 'x-device-id': 'four' })).body as { sub: string };
      service.clock.advance(90 * DAY);
      await service.sql('DELETE FROM auth_session');
      const users = service.app.get(UserService);
      const [again] = await Promise.all([users.anonymousAgain(sub), users.removeExpired(200)]);
      const isThere = (await service.app.get(Users).find(sub, { fresh: true })) !== undefined;
      expect(isThere).toBe(again !== undefined);
    });
  });
});
