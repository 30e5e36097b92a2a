import { createHash } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import request from 'supertest';
import { expectError, ISSUER, type Service, startService } from './service.js';

describe('password grant (RFC 6749 §4.3)', () => {
  let service: Service;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false } });
    await service.client({ id: 'app' });
    await service.client({ id: 'no-refresh', grant_types: ['password'] });
    await service.client({ id: 'weda', need_weda_resource: true, access_token_ttl: 60 });
    sub = await service.user('Ada@Example.com', 'correct horse', ['admins', 'staff']);
  });
  afterAll(() => service.close());

  const signIn = (more: object = {}) =>
    service.token({
      client_id: 'app',
      grant_type: 'password',
      username: 'ada@example.com',
      password: 'correct horse',
      ...more,
    });

  it('answers with the documented body and headers', async () => {
    const response = await signIn();
    expect(response.body).toEqual({
      token_type: 'Bearer',
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^m\.[A-Za-z0-9_-]{70}$/),
      id_token: expect.any(String),
      expires_in: 7200,
      scope: 'openid profile',
      sub,
      groups: ['admins', 'staff'],
      need_weda_resource: false,
    });
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('signs the access token as RFC 9068 says, and jose verifies it against /auth/v1/certs', async () => {
    const { body } = await signIn({ scope: 'profile' });
    const certs = await request(service.url).get('/auth/v1/certs');
    expect(certs.headers['cache-control']).toBe('public, max-age=300');
    const jwks = createLocalJWKSet(certs.body as JSONWebKeySet);
    const verified = await jwtVerify(body.access_token, jwks, {
      issuer: ISSUER,
      audience: ISSUER,
      typ: 'at+jwt',
      currentDate: new Date(service.clock.now()),
    });
    const iat = service.clock.now() / 1000;
    expect(verified.payload).toEqual({
      iss: ISSUER,
      sub,
      aud: ISSUER,
      exp: iat + 7200,
      iat,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      client_id: 'app',
      scope: 'profile',
      groups: ['admins', 'staff'],
      auth_time: iat,
      sid: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    });
    expect(verified.protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: certs.body.keys[0].kid });
    expect(Object.keys(certs.body.keys[0]).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('signs the id_token as OpenID Connect Core §2 says, and only where openid was granted', async () => {
    const { body } = await signIn({ nonce: 'n-0S6_WzA2Mj' });
    const jwks = createLocalJWKSet((await request(service.url).get('/auth/v1/certs')).body as JSONWebKeySet);
    const { payload } = await jwtVerify(body.id_token, jwks, {
      issuer: ISSUER,
      audience: 'app',
      currentDate: new Date(service.clock.now()),
    });
    const iat = service.clock.now() / 1000;
    const atHash = createHash('sha256').update(body.access_token).digest().subarray(0, 16).toString('base64url');
    expect(payload).toEqual({
      iss: ISSUER,
      sub,
      aud: 'app',
      exp: iat + 7200,
      iat,
      auth_time: iat,
      nonce: 'n-0S6_WzA2Mj',
      at_hash: atHash,
      sid: expect.any(String),
    });
    expect((await signIn({ scope: 'profile' })).body).not.toHaveProperty('id_token');
  });

  it('takes the username in any case, width and padding (NFKC, case-folded, trimmed)', async () => {
    expect((await signIn({ username: ' ＡDA@example.COM ' })).body.sub).toBe(sub);
  });

  it('gives no refresh token to a client that may not refresh', async () => {
    const { body } = await signIn({ client_id: 'no-refresh' });
    expect(body).not.toHaveProperty('refresh_token');
  });

  it("follows the client's own settings", async () => {
    expect((await signIn({ client_id: 'weda' })).body).toMatchObject({ expires_in: 60, need_weda_resource: true });
  });

  it.each([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { username: 'nobody' }],
  ])('answers %s in the same words', async (_, wrong) => {
    expectError(await signIn(wrong), {
      error: 'invalid_argument',
      reason: 'WRONG_USERNAME_OR_PASSWORD',
      message: 'The username or password is wrong.',
    });
  });

  it.each(['username', 'password'])('requires %s', async (field) => {
    expectError(await signIn({ [field]: undefined }), {
      error: 'invalid_argument',
      reason: 'PARAMETER_MISSING',
      message: 'A required parameter is missing.',
      fields: [{ field, description: 'is required' }],
    });
  });

  it('refuses a scope that the client may not have (RFC 6749 §3.3)', async () => {
    expectError(await signIn({ scope: 'openid admin' }), { error: 'invalid_scope', reason: 'SCOPE_NOT_ALLOWED' });
  });
});
