import { decodeJwt } from 'jose';
import request, { type Response, type Test } from 'supertest';
import { KeyService } from '../src/core/keys/key.service.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { expectOtherMethodRefused, signIn as signInAt } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';

const PATH = '/oauth2/userinfo';

describe('userinfo endpoint (OpenID Connect Core §5.3)', () => {
  let service: Service;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false } });
    await service.client({ id: 'app' });
    const ada = { username: 'Ada', password: 'correct horse', name: 'Ada Lovelace', email: 'ada@example.com' };
    sub = (await service.app.get(UserService).create(ada)).id;
  });
  afterAll(() => service.close());

  const signIn = (scope: string, username = 'ada') => signInAt(service, { scope, username });
  const get = (token: string): Test => request(service.url).get(PATH).set('authorization', `Bearer ${token}`);

  it.each([
    ['openid', {}],
    ['openid profile', { name: 'Ada Lovelace', preferred_username: 'ada' }],
    ['openid email', { email: 'ada@example.com', email_verified: false }],
    [
      'openid profile email',
      { name: 'Ada Lovelace', preferred_username: 'ada', email: 'ada@example.com', email_verified: false },
    ],
  ])('answers for the scope %s with its claims alone (§5.4)', async (scope, claims) => {
    const response = await get((await signIn(scope)).access_token);
    expect(response.body).toEqual({ sub, ...claims });
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it('leaves out what is not known (§5.3.2)', async () => {
    const bob = await service.user('bob', 'correct horse');
    const { access_token } = await signIn('openid profile email', 'bob');
    expect((await get(access_token)).body).toEqual({ sub: bob, preferred_username: 'bob' });
  });

  it('gives what the token was narrowed to, not what its session has', async () => {
    const { refresh_token } = await signIn('openid profile email');
    const { body } = await service.token({
      client_id: 'app',
      grant_type: 'refresh_token',
      refresh_token,
      scope: 'openid',
    });
    expect((await get(body.access_token)).body).toEqual({ sub });
  });

  it.each<[string, (token: string) => Test]>([
    [
      'POST with the header and no body (§5.3.1)',
      (token) => request(service.url).post(PATH).set('authorization', `Bearer ${token}`),
    ],
    [
      'POST with the header and an empty form',
      (token) => request(service.url).post(PATH).set('authorization', `bearer ${token}`).type('form').send(''),
    ],
    [
      'POST with the token in the form (RFC 6750 §2.2)',
      (token) => request(service.url).post(PATH).type('form').send({ access_token: token }),
    ],
  ])('takes %s', async (_, send) => {
    const response = await send((await signIn('openid')).access_token);
    expect([response.status, response.body]).toEqual([200, { sub }]);
  });

  const expectUnauthenticated = (response: Response, challenge: string) => {
    expectError(response, { error: 'unauthenticated', word: 'invalid_token', reason: 'ACCESS_TOKEN_INVALID' });
    expect(response.headers['www-authenticate']).toBe(challenge);
  };

  it.each<[string, () => Test]>([
    ['no token', () => request(service.url).get(PATH)],
    ['another scheme', () => request(service.url).get(PATH).auth('ada', 'correct horse')],
    ['a POST without a token', () => request(service.url).post(PATH).type('form').send({})],
    ['a token in JSON', () => request(service.url).post(PATH).send({ access_token: 'x' })],
    ['a token in the URL (RFC 9700 §4.3.2)', () => request(service.url).get(`${PATH}?access_token=x`)],
  ])('asks for a token where there is none: %s (RFC 6750 §3)', async (_, send) => {
    expectUnauthenticated(
      await send(),
      'Bearer realm="auth", DPoP realm="auth", algs="ES256 RS256 PS256 EdDSA Ed25519"',
    );
  });

  it.each<[string, () => Promise<string>]>([
    ['garbage', async () => 'garbage'],
    ['an id_token', async () => (await signIn('openid')).id_token],
    ['a refresh token', async () => (await signIn('openid')).refresh_token],
    [
      'one whose session was revoked',
      async () => {
        const { access_token } = await signIn('openid');
        await service.app.get(SessionService).revoke(decodeJwt(access_token)['sid'] as string);
        return access_token;
      },
    ],
    [
      'one whose user is gone',
      async () => {
        const claims = decodeJwt((await signIn('openid')).access_token);
        return service.app.get(KeyService).sign('at+jwt', { ...claims, sub: 'nobody' });
      },
    ],
    [
      'an expired one',
      async () => {
        const { access_token } = await signIn('openid');
        service.clock.advance(7200);
        return access_token;
      },
    ],
  ])('refuses %s (RFC 6750 §3.1)', async (_, tokenOf) => {
    expectUnauthenticated(await get(await tokenOf()), 'Bearer realm="auth", error="invalid_token"');
  });

  it('refuses a token without the scope openid (§5.3.1, RFC 6750 §3.1)', async () => {
    const response = await get((await signIn('profile email')).access_token);
    expectError(response, { error: 'permission_denied', word: 'insufficient_scope', reason: 'SCOPE_INSUFFICIENT' });
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="auth", error="insufficient_scope", scope="openid"',
    );
  });

  it('refuses a token that was sent in two ways (RFC 6750 §2)', async () => {
    const { access_token } = await signIn('openid');
    const response = await request(service.url)
      .post(PATH)
      .set('authorization', `Bearer ${access_token}`)
      .type('form')
      .send({ access_token });
    expectError(response, {
      error: 'invalid_argument',
      word: 'invalid_request',
      reason: 'PARAMETER_REPEATED',
      fields: [{ field: 'access_token', description: 'must be sent once, in the header or in the body' }],
    });
    expect(response.headers['www-authenticate']).toBe('Bearer realm="auth", error="invalid_request"');
  });

  it('has no other method', async () => {
    const response = await request(service.url).delete(PATH);
    expectOtherMethodRefused(response, 'GET, POST');
  });
});
