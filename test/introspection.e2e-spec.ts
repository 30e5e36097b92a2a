import { decodeJwt } from 'jose';
import request, { type Response } from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { LIMITED, expectOtherMethodRefused, oauth, signIn as signInAt, type Tokens } from './fixtures.js';
import { expectError, type ExpectedError, ISSUER, type Service, startService } from './service.js';

describe('introspection endpoint (RFC 7662)', () => {
  let service: Service;
  let api: { client_id: string; client_secret?: string };
  let backend: { client_id: string; client_secret?: string };
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: { requests: 30, seconds: 30 }, limitAccount: false } });
    await service.client({ id: 'app' });
    api = await service.client({ id: 'api', public: false });
    backend = await service.client({ id: 'backend', public: false });
    sub = await service.user('ada', 'correct horse', ['staff']);
  });
  beforeEach(() => service.clock.advance(60));
  afterAll(() => service.close());

  const signIn = (client?: object) => signInAt(service, client);
  const introspect = (body: object, caller: object = api): Promise<Response> =>
    request(service.url)
      .post('/oauth2/introspect')
      .type('form')
      .send({ ...caller, ...body });
  const expectInactive = (response: Response) =>
    expect([response.status, response.body]).toEqual([200, { active: false }]);
  const seconds = () => service.clock.now() / 1000;

  it('tells a resource server everything that an access token says (§2.2)', async () => {
    const { access_token } = await signIn();
    const response = await introspect({ token: access_token });
    expect(response.body).toEqual({
      active: true,
      token_type: 'Bearer',
      iss: ISSUER,
      sub,
      aud: ISSUER,
      exp: seconds() + 7200,
      iat: seconds(),
      jti: expect.any(String),
      client_id: 'app',
      scope: 'openid profile',
      groups: ['staff'],
      auth_time: seconds(),
      sid: expect.any(String),
      account: true,
    });
    expect(response.status).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it("tells of a client's own access token", async () => {
    const { body } = await service.token({ ...backend, grant_type: 'client_credentials' });
    const response = await introspect({ token: body.access_token });
    expect(response.body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(body.access_token) });
  });

  it('tells a client about its own refresh token, and uses nothing up', async () => {
    const { refresh_token } = await signIn(backend);
    const signedIn = seconds();
    const expected = {
      active: true,
      iss: ISSUER,
      sub,
      client_id: 'backend',
      scope: 'openid profile',
      iat: signedIn,
      exp: signedIn + 2678400,
      sid: expect.any(String),
    };
    expect((await introspect({ token: refresh_token }, backend)).body).toEqual(expected);
    service.clock.advance(60);
    const { status, body } = await service.token({ ...backend, grant_type: 'refresh_token', refresh_token });
    expect(status).toBe(200);
    expectInactive(await introspect({ token: refresh_token }, backend));
    const after = await introspect({ token: body.refresh_token, token_type_hint: 'access_token' }, backend);
    expect(after.body).toEqual({ ...expected, iat: signedIn + 60 });
  });

  it("never lets a client learn of another client's refresh token (§4)", async () => {
    const { refresh_token } = await signIn(backend);
    expectInactive(await introspect({ token: refresh_token }, api));
    expectInactive(await introspect({ token: (await signIn()).refresh_token }, api));
  });

  it.each<[string, (tokens: Tokens) => Promise<unknown>]>([
    [
      'its session was revoked',
      ({ access_token }) => service.app.get(SessionService).revoke(decodeJwt(access_token)['sid'] as string),
    ],
    ['its user was disabled', async () => service.app.get(UserService).setDisabled(sub, true)],
    ['its user has a new password', async () => service.app.get(UserService).setPassword(sub, 'correct horse')],
  ])('calls both tokens inactive at once when %s (§2.2)', async (_, end) => {
    const tokens = await signIn(backend);
    service.clock.advance(1); // a new password ends the sign-ins from before it
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect((await introspect({ token }, backend)).body).toMatchObject({ active: true });
    }
    await end(tokens);
    for (const token of [tokens.access_token, tokens.refresh_token])
      expectInactive(await introspect({ token }, backend));
    await service.app.get(UserService).setDisabled(sub, false);
  });

  it("calls a client's own token inactive once the client is disabled", async () => {
    const gone = await service.client({ id: 'gone', public: false });
    const { body } = await service.token({ ...gone, grant_type: 'client_credentials' });
    await service.app.get(ClientService).setDisabled('gone', true);
    expectInactive(await introspect({ token: body.access_token }));
  });

  it('calls tokens inactive from the second on in which they expire', async () => {
    const { access_token, refresh_token } = await signIn(backend);
    service.clock.advance(7199);
    expect((await introspect({ token: access_token })).body).toMatchObject({ active: true });
    service.clock.advance(1);
    expectInactive(await introspect({ token: access_token }));
    service.clock.advance(2678400 - 7201);
    expect((await introspect({ token: refresh_token }, backend)).body).toMatchObject({ active: true });
    service.clock.advance(1);
    expectInactive(await introspect({ token: refresh_token }, backend));
  });

  it.each<[string, (tokens: Tokens) => string]>([
    ['garbage', () => 'garbage'],
    ['a forged refresh token', ({ refresh_token }) => `${refresh_token.slice(0, -3)}AAA`],
    ['a forged access token', ({ access_token }) => `${access_token.slice(0, -6)}AAAAAA`],
    ['an id_token', ({ id_token }) => id_token],
    ['Unicode', () => '令牌 🔑'],
  ])('calls %s inactive, and says no more (§2.2)', async (_, tokenOf) => {
    expectInactive(await introspect({ token: tokenOf(await signIn(backend)) }, backend));
  });

  it.each<[string, object, object, ExpectedError]>([
    [
      'a public client (§2.1)',
      { client_id: 'app' },
      { token: 'x' },
      { error: 'permission_denied', word: 'unauthorized_client', status: 400, reason: 'CLIENT_PUBLIC' },
    ],
    [
      'a wrong secret (§2.3)',
      { client_id: 'api', client_secret: 'x' },
      { token: 'x' },
      { error: 'unauthorized_client', word: 'invalid_client', reason: 'CLIENT_SECRET_WRONG' },
    ],
    [
      'a confidential client without its secret',
      { client_id: 'api' },
      { token: 'x' },
      { error: 'unauthorized_client', word: 'invalid_client', reason: 'CLIENT_SECRET_MISSING' },
    ],
    [
      'nobody',
      {},
      { token: 'x' },
      {
        error: 'invalid_argument',
        word: 'invalid_client',
        status: 401,
        reason: 'CLIENT_ID_MISSING',
        fields: [{ field: 'client_id', description: 'is required' }],
      },
    ],
  ])('refuses %s', async (_, caller, body, expected) => {
    expectError(await introspect(body, caller), expected);
  });

  it.each<[string, object, ExpectedError]>([
    ['no token', {}, oauth.missing('token')],
    ['a token that is too long', { token: 'x'.repeat(8193) }, oauth.tooLong('token', 8192)],
    ['two tokens', { token: ['a', 'b'] }, oauth.repeated('token')],
  ])('refuses %s', async (_, body, expected) => {
    expectError(await introspect(body), expected);
  });

  it('refuses a Bearer token as authentication: it proves no client', async () => {
    const { access_token } = await signIn();
    const response = await request(service.url)
      .post('/oauth2/introspect')
      .set('authorization', `Bearer ${access_token}`)
      .type('form')
      .send({ token: access_token });
    expect([response.status, response.body.error]).toEqual([401, 'invalid_client']);
  });

  it('counts guesses by address, and genuine tokens against their sessions: a busy resource server is not starved', async () => {
    const sessions = [await signIn(), await signIn(), await signIn()];
    service.clock.advance(60);
    for (let i = 0; i < 30; i++) expectInactive(await introspect({ token: `eyJ.${i}` }));
    expectError(await introspect({ token: 'eyJ.x' }), LIMITED);
    for (let i = 0; i < 30; i++) {
      for (const { access_token } of sessions) expect((await introspect({ token: access_token })).status).toBe(200);
    }
    expectError(await introspect({ token: sessions[0]!.access_token }), { ...LIMITED, reason: 'LIMIT_SESSION' });
  });

  it('has no other method: a token does not belong into a URL', async () => {
    const response = await request(service.url).get('/oauth2/introspect?token=x');
    expectOtherMethodRefused(response, 'POST');
  });
});
