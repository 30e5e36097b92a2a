import request from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { Clock } from '../src/index.js';
import { signIn } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';

const HOUR = 3600;

describe('a clock that is set', () => {
  let service: Service;
  beforeEach(async () => {
    const budget = { requests: 2, seconds: 60 };
    service = await startService({ auth: { limitIp: budget, limitClient: budget, limitAccount: false } });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
  });
  afterEach(() => service.close());

  const password = (value: string) =>
    service.token({ client_id: 'app', grant_type: 'password', username: 'ada', password: value });

  it('back by an hour after a sign-in keeps nobody out', async () => {
    expect((await password('correct horse')).status).toBe(200);
    service.clock.step(-HOUR);
    expect((await password('correct horse')).status).toBe(200);
  });

  it.each([-HOUR, HOUR, -24 * HOUR])('by %d s makes no wait longer or shorter than it was', async (step) => {
    await password('wrong');
    service.clock.advance(10);
    await password('wrong');
    service.clock.step(step);
    const refused = { error: 'resource_exhausted', reason: 'LIMIT_IP', retryAfter: 20 } as const;
    expectError(await password('correct horse'), refused);
    service.clock.advance(19);
    expectError(await password('correct horse'), { ...refused, retryAfter: 1 });
    service.clock.advance(1);
    expect((await password('correct horse')).status).toBe(200);
  });

  it('back by an hour makes no answer in memory live for an hour: another process’s changes show within 2 s', async () => {
    const { access_token, refresh_token } = await signIn(service);
    const users = service.app.get(UserService);
    const clients = service.app.get(ClientService);
    service.clock.step(-HOUR);
    service.clock.advance(60);
    const refresh = () => service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
    expect((await refresh()).status).toBe(200); // user and client are in memory now
    service.clock.step(-HOUR);
    // as another process does: past what this one remembers
    await users['rows'].update({ username: 'ada' }, { disabled: true });
    await clients['clients'].update({ id: 'app' }, { name: 'Renamed' });
    service.clock.advance(3);
    expect((await clients.find('app'))!.client.name).toBe('Renamed');
    const me = await request(service.url).get('/oauth2/userinfo').set('authorization', `Bearer ${access_token}`);
    expect(me.status).toBe(401);
  });

  it('back by an hour lets a device that polls at its interval go on (RFC 8628 §3.5)', async () => {
    const { body } = await request(service.url).post('/oauth2/device_authorization').send({ client_id: 'app' });
    const { device_code } = body as { device_code: string };
    const poll = async () => {
      service.clock.advance(60);
      return service.token({ client_id: 'app', grant_type: 'device_code', device_code });
    };
    expectError(await poll(), { error: 'authorization_pending', reason: 'AUTHORIZATION_PENDING', retryAfter: 3 });
    service.clock.step(-HOUR);
    expectError(await poll(), { error: 'authorization_pending', reason: 'AUTHORIZATION_PENDING', retryAfter: 3 });
  });

  it('by a host that has a clock of its own leaves durations to the process', () => {
    class Frozen extends Clock {
      override now(): number {
        return 0;
      }
    }
    const clock = new Frozen();
    const before = clock.monotonic();
    expect(before).toBeGreaterThan(0);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(before);
  });
});
