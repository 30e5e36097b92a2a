import request from 'supertest';
import { Captcha } from '../../src/core/captcha/captcha.js';
import { UserService } from '../../src/core/users/user.service.js';
import { invalid, missing, tooLong, MALFORMED_SCOPE } from '../fixtures.js';
import { expectError, type Service, startService } from '../service.js';
import { codesSentTo, DeviceStorage, FIRST_PARTY_GRANTS } from './sdk.js';

const WRONG_SUDO = { error: 'invalid_verification_code', reason: 'SUDO_TOKEN_INVALID' } as const;
const WRONG_PASSWORD = { error: 'invalid_username_or_password', reason: 'WRONG_USERNAME_OR_PASSWORD' } as const;

describe('an account', () => {
  let service: Service;
  let token: string;
  let n = 0;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false, limitIp: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    await service.client({ id: 'pages', grant_types: ['authorization_code', 'device_code'] });
    await service.client({ id: 'plain', grant_types: ['password'] });
  });
  afterAll(() => service.close());
  beforeEach(async () => (token = (await signIn(await newUser())).access_token));

  const newUser = async () => {
    const username = `user-${++n}`;
    await service.user(username, 'correct horse');
    return username;
  };
  const signIn = async (username: string, password = 'correct horse') => {
    const sent = request(service.url).post('/auth/v1/signin?client_id=app').send({ username, password });
    return (await sent).body as { access_token: string };
  };
  const call = (method: 'post' | 'patch', path: string, body: object, bearer = token) =>
    request(service.url)[method](`/auth/v1${path}`).set('Authorization', `Bearer ${bearer}`).send(body);
  const me = async (bearer = token) =>
    (await request(service.url).get('/auth/v1/user/me').set('Authorization', `Bearer ${bearer}`)).body as object;

  const asked = {
    response_type: 'code',
    client_id: 'pages',
    redirect_uri: 'https://app.example.com/callback',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  };

  it.each([
    ['post', '/user/sudo', {}, missing('password')],
    ['post', '/user/sudo', { password: 'wrong' }, WRONG_PASSWORD],
    ['post', '/user/sudo', { password: 'x'.repeat(1025) }, tooLong('password', 1024)],
    [
      'post',
      '/user/sudo',
      { verification_token: 'wrong' },
      { error: 'invalid_verification_code' as const, reason: 'VERIFICATION_TOKEN_INVALID' },
    ],
    ['patch', '/user/password', { new_password: 'battery staple' }, missing('sudo_token')],
    ['patch', '/user/password', { sudo_token: 'x' }, missing('new_password')],
    [
      'patch',
      '/user/password',
      { sudo_token: 'x', new_password: 'short' },
      invalid('new_password', 'must be at least 8 characters'),
    ],
    ['patch', '/user/password', { sudo_token: 'x', new_password: 'battery staple' }, WRONG_SUDO],
    [
      'patch',
      '/user/contact',
      { sudo_token: 'x', verification_token: 'x' },
      missing('email', 'is required, or phone_number'),
    ],
    ['patch', '/user/contact', { email: 'a@b.c', verification_token: 'x' }, missing('sudo_token')],
    ['patch', '/user/contact', { email: 'a@b.c', sudo_token: 'x' }, missing('verification_token')],
    ['patch', '/user/contact', { email: 'a@b.c', sudo_token: 'x', verification_token: 'x' }, WRONG_SUDO],
    ['patch', '/user/profile', { name: 'x'.repeat(201) }, tooLong('name', 200)],
    ['patch', '/user/profile', { gender: 'x' }, invalid('gender', 'must be MALE, FEMALE or UNKNOWN')],
    ['post', '/user/basic/edit', { avatar_url: 'x' }, invalid('avatar_url', 'must be an http(s) URL')],
    ['post', '/user/basic/edit', { nickname: 1 }, invalid('nickname', 'must be a string')],
    ['post', '/user/basic/edit', { new_password: 'battery staple' }, missing('password')],
    ['post', '/user/basic/edit', { new_password: 'battery staple', password: 'wrong' }, WRONG_PASSWORD],
    ['post', '/user/device/authorize', {}, missing('user_code')],
    ['post', '/user/device/authorize', { user_code: 'x'.repeat(33) }, tooLong('user_code', 32)],
    [
      'post',
      '/user/device/authorize',
      { user_code: 'AAAA-AAAA' },
      invalid('user_code', 'is wrong, answered or expired'),
    ],
    ['post', '/user/authorize', { ...asked, client_id: undefined }, missing('client_id')],
    ['post', '/user/authorize', { ...asked, redirect_uri: undefined }, missing('redirect_uri')],
    ['post', '/user/authorize', { ...asked, response_type: 'token' }, invalid('response_type', 'must be code')],
    [
      'post',
      '/user/authorize',
      { ...asked, code_challenge_method: 'plain' },
      invalid('code_challenge_method', 'must be S256'),
    ],
    [
      'post',
      '/user/authorize',
      { ...asked, client_id: 'plain' },
      { error: 'permission_denied' as const, reason: 'GRANT_TYPE_NOT_ALLOWED' },
    ],
    [
      'post',
      '/device/code',
      { client_id: 'plain' },
      { error: 'permission_denied' as const, reason: 'GRANT_TYPE_NOT_ALLOWED' },
    ],
    [
      'post',
      '/device/code',
      { client_id: 'pages', scope: 'root' },
      { error: 'invalid_scope' as const, reason: 'SCOPE_NOT_ALLOWED' },
    ],
    ['post', '/device/code', { client_id: 'pages', scope: ' ' }, MALFORMED_SCOPE],
  ] as const)('%s %s refuses %j', async (method, path, body, expected) => {
    expectError(await call(method, path, body), expected);
  });

  it('PATCH /user/password takes a sudo token for ten minutes, and only in its own session', async () => {
    const { sudo_token } = (await call('post', '/user/sudo', { password: 'correct horse' })).body;
    const change = { sudo_token, new_password: 'battery staple' };
    const elsewhere = await signIn(`user-${n}`);
    expectError(await call('patch', '/user/password', change, elsewhere.access_token), WRONG_SUDO);
    service.clock.advance(600);
    expectError(await call('patch', '/user/password', change), WRONG_SUDO);
  });

  it('POST /user/basic/edit changes the password by the old one', async () => {
    const change = { password: 'correct horse', new_password: 'battery staple' };
    expect((await call('post', '/user/basic/edit', change)).body).toEqual({});
    expect(await signIn(`user-${n}`, 'battery staple')).toHaveProperty('access_token');
  });

  it('POST /user/basic/edit and PATCH /user/profile change what they name and nothing else', async () => {
    const edit = { nickname: 'Ada', avatar_url: 'https://example.com/a.png', gender: 'FEMALE', description: 'ignored' };
    expect((await call('post', '/user/basic/edit', edit)).body).toEqual({});
    const { body } = await call('patch', '/user/profile', { locale: 'zh-CN' });
    expect(body).toMatchObject({ name: 'Ada', picture: edit.avatar_url, gender: 'FEMALE', locale: 'zh-CN' });
    expect(await me()).toEqual(body);
  });

  it('POST /user/authorize answers with the code and the state alone, and with the time of the sign-in', async () => {
    service.clock.advance(100);
    const { body } = await call('post', '/user/authorize', { ...asked, state: 'xyz' });
    expect(body).toEqual({ code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), state: 'xyz' });
    const { body: tokens } = await service.token({
      client_id: 'pages',
      grant_type: 'authorization_code',
      code: body.code,
      redirect_uri: asked.redirect_uri,
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    });
    const claims = JSON.parse(Buffer.from((tokens.id_token as string).split('.')[1]!, 'base64url').toString());
    expect(claims.auth_time).toBe(service.clock.now() / 1000 - 100);
  });

  it('POST /device/code is answered to a client, and to a user’s own client', async () => {
    const byClient = await request(service.url).post('/auth/v1/device/code').send({ client_id: 'pages' });
    const byUser = await call('post', '/device/code', {});
    for (const { body } of [byClient, byUser]) {
      expect(body).toEqual({
        device_code: expect.any(String),
        user_code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/),
        verification_uri: 'https://auth.example.com/device',
        verification_uri_complete: `https://auth.example.com/device?user_code=${body.user_code}`,
        expires_in: 600,
        interval: 3,
      });
    }
  });

  it('that is disabled meanwhile is signed out', async () => {
    const row = await service.app.get(UserService).load(`user-${n}`);
    await service.app.get(UserService).setDisabled(row!.id, true);
    expect(await me()).toMatchObject({ error: 'unauthenticated' });
  });
});

describe('captchas of a host', () => {
  it('are asked for, solved and used up by the SDK itself', async () => {
    const service = await startService();
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    const { CloudbaseOAuth } = await import('@cloudbase/oauth');
    const solved = new Set<string>();
    Object.assign(service.app.get<Captcha>(Captcha), {
      demands: async ({ path }: { path: string }) => path === '/auth/v1/verification',
      create: async () => ({ token: 'riddle', data: 'https://captcha.example.com/', expires_in: 60 }),
      verify: async (riddle: string, key: string) => {
        if (riddle !== 'riddle' || key !== '42') return undefined;
        solved.add('solved');
        return { captcha_token: 'solved', expires_in: 60 };
      },
      redeem: async (captchaToken: string) => solved.delete(captchaToken),
    });
    const captcha = (path: string, body: object) =>
      request(service.url).post(`/auth/v1/captcha/data${path}?client_id=app`).send(body);
    const oauth = new CloudbaseOAuth({
      env: 'app',
      clientId: 'app',
      apiOrigin: service.url,
      storage: new DeviceStorage(),
      captchaOptions: {
        openURIWithCallback: async (uri: string) => {
          const token = new URL(uri).searchParams.get('token')!;
          return (await captcha('/verify', { token, key: '42' })).body;
        },
      },
    });
    oauth.initializeSession();
    await oauth.authApi.getVerification({ email: 'ada@example.com' });
    expect(codesSentTo(service, 'ada@example.com')).toHaveLength(1);
    expect(solved.size).toBe(0);

    const send = (query: string) =>
      request(service.url).post(`/auth/v1/verification?client_id=app${query}`).send({ email: 'b@example.com' });
    expectError(await send(''), { error: 'captcha_required', reason: 'CAPTCHA_REQUIRED' });
    expectError(await send('&captcha_token=solved'), { error: 'captcha_invalid', reason: 'CAPTCHA_INVALID' });
    expectError(await captcha('/verify', { token: 'riddle', key: '41' }), {
      error: 'captcha_invalid',
      reason: 'CAPTCHA_INVALID',
    });
    expectError(await captcha('/verify', { token: 'riddle' }), missing('key'));
    await service.close();
  });

  it('are unknown routes where there is no host', async () => {
    const service = await startService();
    await service.client({ id: 'app' });
    for (const path of ['/captcha/data', '/captcha/data/verify']) {
      const response = await request(service.url).post(`/auth/v1${path}?client_id=app`).send({ token: 'x', key: 'x' });
      expectError(response, { error: 'not_found', reason: 'ROUTE_UNKNOWN' });
    }
    await service.close();
  });
});

describe('cross-origin requests (AUTH_CORS_ORIGINS)', () => {
  const ORIGIN = 'https://app.example.com';
  const SDK_HEADERS = 'authorization,content-type,x-request-id,x-device-id,x-sdk-version,accept-language,undefined';
  let service: Service;
  beforeAll(async () => (service = await startService({ settings: { corsOrigins: [ORIGIN] } })));
  afterAll(() => service.close());

  const preflight = (path: string, method: string, origin: string) =>
    request(service.url)
      .options(`/auth/v1${path}`)
      .set('Origin', origin)
      .set('Access-Control-Request-Method', method)
      .set('Access-Control-Request-Headers', SDK_HEADERS);

  it.each([
    ['/signin', 'POST'],
    ['/user/me', 'GET'],
    ['/user/password', 'PATCH'],
    ['/user/revoke/all', 'DELETE'],
  ])('may bring every header of the SDK to %s by %s', async (path, method) => {
    const { status, headers } = await preflight(path, method, ORIGIN);
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(headers['access-control-allow-methods']!.split(/, ?/)).toContain(method);
    expect(headers['access-control-allow-headers']!.split(/, ?/)).toEqual(
      expect.arrayContaining(SDK_HEADERS.split(',')),
    );
  });

  it('come from configured origins only', async () => {
    const { headers } = await preflight('/signin', 'POST', 'https://evil.example.com');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('may read a failure, its request id and its limits', async () => {
    const { headers } = await request(service.url).get('/auth/v1/user/me').set('Origin', ORIGIN);
    expect(headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(headers['access-control-expose-headers']!.replaceAll(' ', '')).toBe(
      'x-request-id,retry-after,ratelimit,ratelimit-policy',
    );
  });
});
