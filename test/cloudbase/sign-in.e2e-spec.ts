import request, { type Response } from 'supertest';
import { UserService } from '../../src/core/users/user.service.js';
import { invalid, missing, signedIn, tooLong } from '../fixtures.js';
import { expectError, type Service, type StartOptions, startService } from '../service.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './sdk.js';

const start = async (options?: StartOptions): Promise<Service> => {
  const service = await startService(options);
  await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
  await service.client({ id: 'web', grant_types: ['authorization_code'] });
  await service.user('ada', 'correct horse');
  return service;
};

const post = (service: Service, path: string, body: object, client = 'app'): Promise<Response> =>
  request(service.url).post(`/auth/v1${path}?client_id=${client}`).send(body);

describe('CloudBase’s sign-in', () => {
  let service: Service;
  beforeAll(async () => (service = await start({ auth: { limitAccount: false, limitIp: false } })));
  afterAll(() => service.close());

  it('answers as the token endpoint does, and is not cached', async () => {
    const response = await post(service, '/signin', { username: 'ADA', password: 'correct horse', scope: 'openid' });
    expect(response.body).toEqual(signedIn({ sub: expect.any(String), scope: 'openid' }));
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it.each([
    ['no username', { password: 'x' }, missing('username')],
    ['no password', { username: 'ada' }, missing('password')],
    ['a username that is no string', { username: 1, password: 'x' }, invalid('username', 'must be a string')],
    ['an endless username', { username: 'x'.repeat(257), password: 'x' }, tooLong('username', 256)],
    ['an endless password', { username: 'ada', password: 'x'.repeat(1025) }, tooLong('password', 1024)],
    [
      'control characters',
      { username: 'a\0', password: 'x' },
      invalid('username', 'must not contain control characters'),
    ],
    [
      'a scope beyond the client’s',
      { username: 'ada', password: 'correct horse', scope: 'root' },
      { error: 'invalid_scope' as const, reason: 'SCOPE_NOT_ALLOWED' },
    ],
    [
      'a proof for no address',
      { username: 'ada', verification_token: 'x' },
      invalid('username', 'must be an e-mail address or a phone number'),
    ],
    [
      'a wrong proof',
      { username: 'ada@example.com', verification_token: 'x' },
      { error: 'invalid_verification_code' as const, reason: 'VERIFICATION_TOKEN_INVALID' },
    ],
  ])('POST /signin refuses %s', async (_, body, expected) => {
    expectError(await post(service, '/signin', body), expected);
  });

  it.each(['/signin', '/signin/anonymously', '/signup'])(
    'POST %s is closed to a client without the grant',
    async (path) => {
      const body = { username: 'ada', password: 'x', email: 'a@example.com', verification_token: 'x' };
      expectError(await post(service, path, body, 'web'), {
        error: 'permission_denied',
        reason: 'GRANT_TYPE_NOT_ALLOWED',
      });
    },
  );

  it('POST /signin/anonymously wants a device', async () => {
    expectError(await post(service, '/signin/anonymously', {}), missing('x-device-id'));
    const response = await request(service.url)
      .post('/auth/v1/signin/anonymously?client_id=app')
      .set('x-device-id', 'x'.repeat(129))
      .send({});
    expectError(response, invalid('x-device-id', 'must be 1 to 128 printable characters'));
  });

  it('an anonymous sign-in gives no more than the scope anonymous', async () => {
    const { body } = await request(service.url)
      .post('/auth/v1/signin/anonymously?client_id=app')
      .set('x-device-id', 'a-device')
      .send({ scope: 'openid profile' });
    expect(body.scope).toBe('anonymous');
    expect(body).not.toHaveProperty('id_token');
    const refreshed = await service.token({
      client_id: 'app',
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
    });
    expect(refreshed.body.scope).toBe('anonymous');
    const wider = { grant_type: 'refresh_token', refresh_token: refreshed.body.refresh_token, scope: 'openid' };
    expectError(await service.token({ client_id: 'app', ...wider }), {
      error: 'invalid_scope',
      reason: 'SCOPE_WIDENED',
    });
  });

  describe('an anonymous user is found again by a token of theirs, never by x-device-id alone', () => {
    const anonymously = async (body: object = {}, device = 'shared-device') =>
      (
        await request(service.url)
          .post('/auth/v1/signin/anonymously?client_id=app')
          .set('x-device-id', device)
          .send(body)
      ).body as { sub: string; access_token: string; refresh_token: string };

    it.each([
      ['a living one', 0],
      ['one that has expired, of a session that has not', 7201],
    ])('%s', async (_, seconds) => {
      const { sub, access_token: anonymous_token } = await anonymously();
      service.clock.advance(seconds);
      expect((await anonymously({ anonymous_token })).sub).toBe(sub);
      expect((await anonymously({ anonymous_token }, 'a new device')).sub).toBe(sub);
    });

    it.each([
      ['no token', async () => ({})],
      ['a wrong one', async () => ({ anonymous_token: 'a.b.c' })],
      [
        'one of a session that has ended',
        async ({ access_token }: { access_token: string }) => {
          await request(service.url).post('/auth/v1/user/signout').set('Authorization', `Bearer ${access_token}`);
          return { anonymous_token: access_token };
        },
      ],
      [
        'one of a named user',
        async () => {
          const ada = await post(service, '/signin', { username: 'ada', password: 'correct horse' });
          return { anonymous_token: ada.body.access_token as string };
        },
      ],
      [
        'one of the user once they have signed up',
        async ({ access_token }: { access_token: string; sub: string }) => {
          const email = 'once-anonymous@example.com';
          const { verification_id } = (await post(service, '/verification', { email })).body;
          const verification_code = codesSentTo(service, email)[0];
          const proof = { verification_id, verification_code };
          const { verification_token } = (await post(service, '/verification/verify', proof)).body;
          await post(service, '/signup', { email, verification_token, anonymous_token: access_token });
          return { anonymous_token: access_token };
        },
      ],
    ])('%s makes a new one', async (_, body) => {
      const first = await anonymously();
      const second = await anonymously(await body(first));
      expect(second).toMatchObject({ scope: 'anonymous' });
      expect(second.sub).not.toBe(first.sub);
      expect(second.sub).not.toBe((await service.app.get(UserService).load('ada'))!.id);
    });
  });

  const proof = { email: 'a@example.com', verification_token: 'x' };
  it.each([
    [
      'neither address nor number',
      { verification_token: 'x' },
      { ...missing('email'), fields: [{ field: 'email', description: 'is required, or phone_number' }] },
    ],
    ['both', { ...proof, phone_number: '+86 13800000000' }, invalid('phone_number', 'must not be sent beside email')],
    ['a malformed address', { ...proof, email: 'a@b' }, invalid('email', 'must be an e-mail address')],
    [
      'an address with a line break',
      { ...proof, email: 'a@b.c\nBcc: d@e.f' },
      invalid('email', 'must be an e-mail address'),
    ],
    [
      'a malformed number',
      { verification_token: 'x', phone_number: '12' },
      invalid('phone_number', 'must be like +86 13800000000'),
    ],
    ['no proof', { email: 'a@example.com' }, missing('verification_token')],
    ['a short password', { ...proof, password: 'short' }, invalid('password', 'must be at least 8 characters')],
    ['an endless password', { ...proof, password: 'x'.repeat(1025) }, tooLong('password', 1024)],
    [
      'a username with @',
      { ...proof, username: 'a@b' },
      invalid('username', 'must be 2 to 48 letters, digits, . _ -, a letter first'),
    ],
    [
      'a username of digits',
      { ...proof, username: '13800000000' },
      invalid('username', 'must be 2 to 48 letters, digits, . _ -, a letter first'),
    ],
    ['an endless name', { ...proof, name: 'x'.repeat(201) }, tooLong('name', 200)],
    ['a picture that is no URL', { ...proof, picture: 'javascript:x' }, invalid('picture', 'must be an http(s) URL')],
    ['a strange gender', { ...proof, gender: 'x' }, invalid('gender', 'must be MALE, FEMALE or UNKNOWN')],
    ['a strange locale', { ...proof, locale: '!' }, invalid('locale', 'must be a language tag')],
    [
      'a wrong anonymous_token',
      { ...proof, anonymous_token: 'a.b.c' },
      invalid('anonymous_token', 'must be a living access token of an anonymous user'),
    ],
    ['a wrong proof', proof, { error: 'invalid_verification_code' as const, reason: 'VERIFICATION_TOKEN_INVALID' }],
    // that the name is taken is told only to who has proven an address
    [
      'a wrong proof for a taken name',
      { ...proof, username: 'ada' },
      { error: 'invalid_verification_code' as const, reason: 'VERIFICATION_TOKEN_INVALID' },
    ],
  ])('POST /signup refuses %s', async (_, body, expected) => {
    expectError(await post(service, '/signup', body), expected);
  });

  it('POST /signup keeps the proof where the username is taken', async () => {
    const email = 'second@example.com';
    const { verification_id } = (await post(service, '/verification', { email })).body;
    const verification_code = codesSentTo(service, email)[0];
    const { verification_token } = (await post(service, '/verification/verify', { verification_id, verification_code }))
      .body;
    const taken = await post(service, '/signup', { email, verification_token, username: 'Ada' });
    expectError(taken, { error: 'username_already_exists', reason: 'USERNAME_TAKEN' });
    const made = await post(service, '/signup', { email, verification_token, username: 'Ada.2' });
    expect(made.status).toBe(200);
    const row = await service.app.get(UserService).load('ada.2');
    expect(row).toMatchObject({ id: made.body.sub, email, login_email: email, password_hash: null });
  });
});

describe('the limits of CloudBase’s sign-in', () => {
  let service: Service;
  beforeEach(async () => {
    service = await start({
      auth: { limitAccount: { requests: 2, seconds: 60 }, limitIp: { requests: 20, seconds: 60 } },
    });
  });
  afterEach(() => service.close());

  const password = (value = 'wrong') => post(service, '/signin', { username: 'ada', password: value });

  it('are those of the password grant: one budget for an account, whichever door is tried', async () => {
    await service.token({ client_id: 'app', grant_type: 'password', username: 'Ada', password: 'wrong' });
    expect((await password()).status).toBe(400);
    const refused = await password('correct horse');
    expectError(refused, { error: 'invalid_status', reason: 'TOO_MANY_ATTEMPTS', retryAfter: 30 });
    expect(refused.headers['ratelimit']).toBe('"account";r=0;t=30');
    const token = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    expectError(await service.token(token), { error: 'resource_exhausted', reason: 'LIMIT_ACCOUNT', retryAfter: 30 });
  });

  it('count the passwords that sudo is asked; strangers leave some to a session that is there already', async () => {
    const { body } = await password('correct horse');
    for (let i = 0; i < 2; i++) expect((await password()).status).toBe(400);
    expectError(await password('correct horse'), {
      error: 'invalid_status',
      reason: 'TOO_MANY_ATTEMPTS',
      retryAfter: 30,
    });
    const sudo = (value: string) =>
      request(service.url)
        .post('/auth/v1/user/sudo')
        .set('Authorization', `Bearer ${body.access_token as string}`)
        .send({ password: value });
    expect((await sudo('correct horse')).status).toBe(200); // a success costs nothing
    for (let i = 0; i < 2; i++) {
      expectError(await sudo('wrong'), {
        error: 'invalid_username_or_password',
        reason: 'WRONG_USERNAME_OR_PASSWORD',
      });
    }
    expectError(await sudo('correct horse'), { error: 'resource_exhausted', reason: 'LIMIT_ACCOUNT', retryAfter: 30 });
    expectError(await password('correct horse'), {
      error: 'invalid_status',
      reason: 'TOO_MANY_ATTEMPTS',
      retryAfter: 30,
    });
  });

  it('count forged access tokens against the address, and genuine ones against their session', async () => {
    const { body } = await password('correct horse');
    const me = (token: string) => request(service.url).get('/auth/v1/user/me').set('Authorization', `Bearer ${token}`);
    for (let i = 0; i < 19; i++) expect((await me('a.b.c')).status).toBe(401);
    expectError(await me('a.b.c'), { error: 'resource_exhausted', reason: 'LIMIT_IP', retryAfter: 3 });
    expect((await me(body.access_token as string)).status).toBe(200);
    for (let i = 0; i < 19; i++) await me(body.access_token as string);
    expectError(await me(body.access_token as string), {
      error: 'resource_exhausted',
      reason: 'LIMIT_SESSION',
      retryAfter: 3,
    });
    const refresh = { client_id: 'app', grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect((await service.token(refresh)).status).toBe(200); // and starve no refresh
  });
});
