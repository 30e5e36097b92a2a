import request, { type Response } from 'supertest';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { type ExpectedError, expectError, type Service, startService } from './service.js';

/** What a row of the table needs: the service, and a public client "app" with the user "ada". */
type Ask = (service: Service) => Promise<Response> | Response;

const URN = 'urn:ietf:params:oauth:grant-type:device_code';
const token = (body: object): Ask => {
  return (service) => service.token({ client_id: 'app', ...body });
};
const deviceCode = async (service: Service): Promise<{ device_code: string; user_code: string }> => {
  const client = (await service.app.get(ClientService).find('app'))!.client;
  return service.app.get(DeviceAuthorizationService).start(client);
};
const poll = (service: Service, device_code: string) =>
  service.token({ client_id: 'app', grant_type: URN, device_code });

describe('every row of the error table, by a real request', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: { requests: 3, seconds: 30 } } });
    await service.client({ id: 'app' });
    await service.client({ id: 'narrow', grant_types: ['refresh_token'] });
    await service.client({ id: 'backend', public: false });
    await service.client({ id: 'gone' });
    await service.app.get(ClientService).setDisabled('gone', true);
    await service.user('ada', 'correct horse');
    const blocked = await service.user('blocked', 'correct horse');
    await service.app.get(UserService).setDisabled(blocked, true);
  });
  afterAll(() => service.close());

  it.each<[string, Ask, ExpectedError]>([
    [
      'a missing parameter',
      token({}),
      {
        error: 'invalid_argument',
        reason: 'PARAMETER_MISSING',
        message: 'A required parameter is missing.',
        fields: [{ field: 'grant_type', description: 'is required' }],
      },
    ],
    [
      'a wrong password',
      token({ grant_type: 'password', username: 'nobody', password: 'x' }),
      {
        error: 'invalid_argument',
        reason: 'WRONG_USERNAME_OR_PASSWORD',
        message: 'The username or password is wrong.',
      },
    ],
    [
      'malformed JSON',
      (service) => request(service.url).post('/auth/v1/token').type('json').send('{"grant_type":'),
      { error: 'invalid_argument', reason: 'BODY_MALFORMED', message: 'The request body could not be read.' },
    ],
    [
      'another method',
      (service) => request(service.url).get('/auth/v1/token'),
      {
        error: 'invalid_argument',
        status: 405,
        error_code: 40501,
        reason: 'METHOD_NOT_ALLOWED',
        message: 'This method is not allowed here.',
      },
    ],
    [
      'an oversized body',
      token({ filler: 'x'.repeat(64 * 1024) }),
      {
        error: 'invalid_argument',
        status: 413,
        error_code: 41301,
        reason: 'BODY_TOO_LARGE',
        message: 'The request body is larger than 64 KiB.',
      },
    ],
    [
      'another content type',
      (service) => request(service.url).post('/auth/v1/token').type('application/xml').send('<xml/>'),
      {
        error: 'invalid_argument',
        status: 415,
        error_code: 41501,
        reason: 'CONTENT_TYPE_UNSUPPORTED',
        message: 'Send application/json, application/x-www-form-urlencoded or JSON as text/plain.',
      },
    ],
    [
      'a wrong refresh token',
      token({ grant_type: 'refresh_token', refresh_token: 'm.wrong' }),
      {
        error: 'invalid_grant',
        reason: 'REFRESH_TOKEN_INVALID',
        message: 'The refresh token is wrong. Sign in again.',
      },
    ],
    [
      'a scope that the client may not have',
      token({ grant_type: 'password', username: 'ada', password: 'correct horse', scope: 'root' }),
      {
        error: 'invalid_scope',
        reason: 'SCOPE_NOT_ALLOWED',
        message: 'This scope is unknown or not allowed to the client.',
      },
    ],
    [
      'a grant_type that nobody serves',
      token({ grant_type: 'implicit' }),
      {
        error: 'unsupported_grant_type',
        reason: 'GRANT_TYPE_UNSUPPORTED',
        message: 'This grant_type is not supported.',
      },
    ],
    [
      'a wrong client secret',
      token({ client_id: 'backend', client_secret: 'wrong', grant_type: 'client_credentials' }),
      {
        error: 'unauthorized_client',
        reason: 'CLIENT_SECRET_WRONG',
        message: 'The client secret is wrong.',
      },
    ],
    [
      'a missing client secret',
      token({ client_id: 'backend', grant_type: 'client_credentials' }),
      {
        error: 'unauthorized_client',
        reason: 'CLIENT_SECRET_MISSING',
        message: 'This client must authenticate with its secret.',
      },
    ],
    [
      'an unknown client',
      token({ client_id: 'nobody', grant_type: 'password' }),
      { error: 'invalid_client', reason: 'CLIENT_UNKNOWN', message: 'The client does not exist.' },
    ],
    [
      'a disabled client',
      token({ client_id: 'gone', grant_type: 'password' }),
      { error: 'invalid_client', reason: 'CLIENT_DISABLED', message: 'The client is disabled.' },
    ],
    [
      'a grant_type that is not allowed to the client',
      token({ client_id: 'narrow', grant_type: 'password', username: 'a', password: 'b' }),
      {
        error: 'permission_denied',
        reason: 'GRANT_TYPE_NOT_ALLOWED',
        message: 'The client may not use this grant_type.',
      },
    ],
    [
      'a disabled user',
      token({ grant_type: 'password', username: 'blocked', password: 'correct horse' }),
      { error: 'permission_denied', reason: 'USER_DISABLED', message: 'The user is disabled.' },
    ],
    [
      'too many requests',
      async (service) => {
        const guess = token({ grant_type: 'password', username: 'victim', password: 'guess' });
        for (let i = 0; i < 3; i++) await guess(service);
        return guess(service);
      },
      {
        error: 'resource_exhausted',
        reason: 'LIMIT_ACCOUNT',
        message: 'Too many attempts for this account; try again later.',
        retryAfter: 10,
      },
    ],
    [
      'a device code that waits for its user',
      async (service) => poll(service, (await deviceCode(service)).device_code),
      {
        error: 'authorization_pending',
        reason: 'AUTHORIZATION_PENDING',
        message: 'The user has not answered yet.',
        retryAfter: 3,
      },
    ],
    [
      'a device that polls too fast',
      async (service) => {
        const { device_code } = await deviceCode(service);
        await poll(service, device_code);
        return poll(service, device_code);
      },
      {
        error: 'slow_down',
        reason: 'POLLING_TOO_FAST',
        message: 'Polling too fast; wait longer between requests.',
        retryAfter: 8,
      },
    ],
    [
      'a device whose user refused',
      async (service) => {
        const { device_code, user_code } = await deviceCode(service);
        await service.app.get(DeviceAuthorizationService).deny(user_code);
        return poll(service, device_code);
      },
      { error: 'access_denied', reason: 'ACCESS_DENIED', message: 'The user refused.' },
    ],
    [
      'a device code after its life',
      async (service) => {
        const { device_code } = await deviceCode(service);
        service.clock.advance(600);
        return poll(service, device_code);
      },
      { error: 'expired_token', reason: 'DEVICE_CODE_EXPIRED', message: 'The device code has expired. Start again.' },
    ],
    [
      'an unknown route',
      (service) => request(service.url).get('/nowhere'),
      { error: 'not_found', reason: 'ROUTE_UNKNOWN', message: 'There is no such route.' },
    ],
    [
      'a path that cannot be decoded',
      (service) => request(service.url).get('/%E0%A4%A'),
      { error: 'not_found', reason: 'ROUTE_UNKNOWN', message: 'There is no such route.' },
    ],
    [
      'a bug of ours',
      async (service) => {
        const codes = service.app.get(AuthorizationCodeService);
        const find = codes.find.bind(codes);
        codes.find = () => Promise.reject(new TypeError('SELECT secret FROM somewhere'));
        const response = await token({ grant_type: 'authorization_code', code: 'x' })(service);
        codes.find = find;
        return response;
      },
      { error: 'internal', reason: 'INTERNAL', message: 'System error; try again later.' },
    ],
  ])('%s', async (_, ask, expected) => {
    expectError(await ask(service), expected);
  });

  it('names the methods that are allowed (RFC 9110 §15.5.6)', async () => {
    expect((await request(service.url).delete('/auth/v1/token')).headers['allow']).toBe('POST');
  });

  it('logs what a bug of ours was, with the request id', () => {
    expect(service.log).toContainEqual(
      expect.objectContaining({
        level: 50,
        requestId: expect.any(String),
        cause: expect.stringContaining('TypeError: SELECT secret FROM somewhere'),
      }),
    );
  });

  it('says it in Chinese too, where the caller asks for it', async () => {
    const headers = { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' };
    expectError(await service.token({ client_id: 'nobody', grant_type: 'password' }, headers), {
      error: 'invalid_client',
      reason: 'CLIENT_UNKNOWN',
      message: 'The client does not exist.',
      chinese: '客户端不存在。',
    });
  });

  it('challenges after Basic, and only then (RFC 6749 §5.2)', async () => {
    const basic = `Basic ${Buffer.from('nobody:secret').toString('base64')}`;
    const challenged = await service.token({ grant_type: 'client_credentials' }, { authorization: basic });
    expect(challenged.headers['www-authenticate']).toBe('Basic realm="auth", charset="UTF-8"');
    expectError(challenged, { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' });
    const plain = await service.token({ client_id: 'nobody', grant_type: 'client_credentials' });
    expect(plain.headers).not.toHaveProperty('www-authenticate');
  });
});
