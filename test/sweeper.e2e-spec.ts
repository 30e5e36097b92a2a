import { DataSource } from 'typeorm';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { Sweeper } from '../src/base/database/sweeper.js';
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
    const [row] = await service.app.get(DataSource).query(`SELECT count(*) AS n FROM ${table}`);
    return row.n as number;
  };

  it('removes what has expired, in batches, and nothing that lives', async () => {
    const ds = service.app.get(DataSource);
    const now = service.clock.now();
    await ds.query(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
       INSERT INTO auth_session (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at)
       SELECT 'old' || i, 'u', 'app', '', 0, 0, 0, ? FROM n`,
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
});
