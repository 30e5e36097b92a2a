import { ClientService } from '../src/core/clients/client.service.js';
import {
  type DeviceAuthorizationResponse,
  DeviceAuthorizationService,
} from '../src/core/devices/device-authorization.service.js';
import { signedIn } from './fixtures.js';
import { expectError, ISSUER, type Service, startService } from './service.js';

const URN = 'urn:ietf:params:oauth:grant-type:device_code';

describe('device_code grant (RFC 8628 §3.4, §3.5)', () => {
  let service: Service;
  let devices: DeviceAuthorizationService;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false } });
    devices = service.app.get(DeviceAuthorizationService);
    await service.client({ id: 'tv' });
    await service.client({ id: 'other' });
    sub = await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const start = async (scope?: string): Promise<DeviceAuthorizationResponse> =>
    devices.start((await service.app.get(ClientService).find('tv'))!.client, scope);
  const poll = (device_code: string, more: object = {}) =>
    service.token({ client_id: 'tv', grant_type: URN, device_code, ...more });

  it('starts with codes that a person can type', async () => {
    expect(await start()).toEqual({
      device_code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      user_code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/),
      verification_uri: `${ISSUER}/device`,
      verification_uri_complete: expect.stringMatching(/\/device\?user_code=....-....$/),
      expires_in: 600,
      interval: 3,
    });
  });

  it('stores neither code in the clear', async () => {
    const { device_code, user_code } = await start();
    const stored = JSON.stringify(await service.sql('SELECT * FROM auth_device_authorization'));
    expect(stored).not.toContain(device_code);
    expect(stored).not.toContain(user_code);
    expect(stored).not.toContain(user_code.replace('-', ''));
  });

  it.each([URN, 'device_code'])('answers with tokens once the user has approved, called %s', async (grant_type) => {
    const { device_code, user_code } = await start('openid');
    const pending = { error: 'authorization_pending', reason: 'AUTHORIZATION_PENDING', retryAfter: 3 } as const;
    expectError(await poll(device_code, { grant_type }), pending);
    service.clock.advance(3);
    expectError(await poll(device_code, { grant_type }), pending);
    expect(await devices.approve(` ${user_code.toLowerCase().replace('-', ' ')}`, sub)).toBe(true);
    const { status, body } = await poll(device_code, { grant_type });
    expect(body).toEqual(signedIn({ sub, scope: 'openid' }));
    expect(status).toBe(200);
    expectError(await poll(device_code, { grant_type }), { error: 'invalid_grant', reason: 'DEVICE_CODE_INVALID' });
  });

  it('says slow_down to a device that polls too fast, and waits five seconds longer from then on', async () => {
    const { device_code } = await start();
    const pending = (retryAfter: number) =>
      ({ error: 'authorization_pending', reason: 'AUTHORIZATION_PENDING', retryAfter }) as const;
    const slower = (retryAfter: number) => ({ error: 'slow_down', reason: 'POLLING_TOO_FAST', retryAfter }) as const;
    expectError(await poll(device_code), pending(3));
    service.clock.advance(2);
    expectError(await poll(device_code), slower(8));
    service.clock.advance(7);
    expectError(await poll(device_code), slower(13));
    service.clock.advance(13);
    expectError(await poll(device_code), pending(13));
  });

  it('says access_denied once the user has refused', async () => {
    const { device_code, user_code } = await start();
    expect(await devices.deny(user_code)).toBe(true);
    expectError(await poll(device_code), { error: 'access_denied', reason: 'ACCESS_DENIED' });
    expect(await devices.approve(user_code, sub)).toBe(false);
  });

  it('says expired_token after its life', async () => {
    const { device_code, user_code } = await start();
    service.clock.advance(600);
    expectError(await poll(device_code), { error: 'expired_token', reason: 'DEVICE_CODE_EXPIRED' });
    expect(await devices.approve(user_code, sub)).toBe(false);
  });

  it('belongs to the client that asked for it', async () => {
    const { device_code, user_code } = await start();
    await devices.approve(user_code, sub);
    expectError(await poll(device_code, { client_id: 'other' }), {
      error: 'invalid_grant',
      reason: 'DEVICE_CODE_INVALID',
    });
    expect((await poll(device_code)).status).toBe(200);
  });

  it('lets exactly one of 20 parallel redemptions win, and its session lives on', async () => {
    const { device_code, user_code } = await start();
    await devices.approve(user_code, sub);
    const answers = await Promise.all(Array.from({ length: 20 }, () => poll(device_code)));
    const won = answers.filter((answer) => answer.status === 200);
    expect(won).toHaveLength(1);
    const { refresh_token } = won[0]!.body;
    const refreshed = await service.token({ client_id: 'tv', grant_type: 'refresh_token', refresh_token });
    expect(refreshed.status).toBe(200);
  });
});
