import request, { type Response } from 'supertest';
import { LIMITED, expectOtherMethodRefused, oauth, signIn as signInAt, type Tokens } from './fixtures.js';
import { expectError, type ExpectedError, type Service, startService } from './service.js';

describe('revocation endpoint (RFC 7009)', () => {
  let service: Service;
  let secret: string;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: { requests: 30, seconds: 30 }, limitAccount: false } });
    await service.client({ id: 'app' });
    await service.client({ id: 'other' });
    secret = (await service.client({ id: 'backend', public: false })).client_secret!;
    sub = await service.user('ada', 'correct horse');
  });
  beforeEach(() => service.clock.advance(60));
  afterAll(() => service.close());

  const signIn = (client?: object) => signInAt(service, client);
  const revoke = (body: object): Promise<Response> =>
    request(service.url)
      .post('/oauth2/revoke')
      .type('form')
      .send({ client_id: 'app', ...body });
  const refresh = (refresh_token: string, client: object = { client_id: 'app' }) =>
    service.token({ ...client, grant_type: 'refresh_token', refresh_token });
  const expectNothing = (response: Response) => {
    expect([response.status, response.body]).toEqual([200, {}]);
    expect(response.headers['cache-control']).toBe('no-store');
  };
  const REVOKED = { error: 'invalid_grant', reason: 'SIGNED_OUT' } as const;

  it.each(['refresh_token', 'access_token'] as const)('ends the session of a %s (§2.1)', async (kind) => {
    const tokens = await signIn();
    const before = service.log.length;
    expectNothing(await revoke({ token: tokens[kind] }));
    expectError(await refresh(tokens.refresh_token), REVOKED);
    expect(service.log.slice(before).filter(({ event }) => event !== undefined)).toEqual([
      expect.objectContaining({
        event: 'session_revoked',
        clientId: 'app',
        sessionId: expect.stringMatching(/^.{22}$/),
      }),
    ]);
    expectNothing(await revoke({ token: tokens[kind] })); // and says the same the second time (§2.2)
  });

  it('ends the session of a confidential client that authenticates by Basic', async () => {
    const client = { client_id: 'backend', client_secret: secret };
    const { refresh_token } = await signIn(client);
    expectNothing(
      await request(service.url)
        .post('/oauth2/revoke')
        .auth('backend', secret)
        .type('form')
        .send({ token: refresh_token }),
    );
    expectError(await refresh(refresh_token, client), REVOKED);
  });

  it('ends the session of a refresh token that was replaced: whoever signs out with an old one means it', async () => {
    const { refresh_token } = await signIn();
    const { body } = await refresh(refresh_token);
    expectNothing(await revoke({ token: refresh_token }));
    expectError(await refresh(body.refresh_token), REVOKED);
  });

  it.each<[string, unknown]>([
    ['of the other kind', undefined],
    ['of a kind that we do not know', 'id_token'],
    ['in capitals', 'Refresh_Token'],
    ['that is empty', ''],
    ['that is endless', 'x'.repeat(500)],
    ['sent twice', ['access_token', 'refresh_token']],
  ])('takes a token_type_hint %s for what it is, a hint, at both doors (§2.1, §2.2)', async (_, sent) => {
    for (const path of ['/oauth2/revoke', '/auth/v1/revoke']) {
      const { access_token, refresh_token } = await signIn();
      for (const [token, other] of [
        [access_token, 'refresh_token'],
        [refresh_token, 'access_token'],
      ]) {
        const body = { client_id: 'app', token, token_type_hint: sent ?? other };
        expectNothing(await request(service.url).post(path).type('form').send(body));
        expectError(await refresh(refresh_token), REVOKED);
      }
    }
  });

  it.each(['refresh_token', 'access_token'] as const)(
    "leaves another client's %s alone, and says nothing (§2.1)",
    async (kind) => {
      const tokens = await signIn();
      expectNothing(await revoke({ client_id: 'other', token: tokens[kind] }));
      expect((await refresh(tokens.refresh_token)).status).toBe(200);
    },
  );

  it('ends the session of an access token that has expired: signing out late is still signing out', async () => {
    const { access_token, refresh_token } = await signIn();
    service.clock.advance(7200);
    expectNothing(await revoke({ token: access_token }));
    expect((await refresh(refresh_token)).body.details[0].reason).toBe('SIGNED_OUT');
  });

  it.each<[string, (tokens: Tokens) => string]>([
    ['garbage', () => 'garbage'],
    ['a forged refresh token', ({ refresh_token }) => `${refresh_token.slice(0, -3)}AAA`],
    ['a forged access token', ({ access_token }) => `${access_token.slice(0, -6)}AAAAAA`],
    ['an id_token', ({ id_token }) => id_token],
    ['Unicode', () => '令牌 🔑'],
  ])('answers %s with 200 and changes nothing (§2.2)', async (_, tokenOf) => {
    const tokens = await signIn();
    expectNothing(await revoke({ token: tokenOf(tokens) }));
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it("says honestly that a client's own access token lives until it expires (§2.2.1)", async () => {
    const client = { client_id: 'backend', client_secret: secret };
    const { body } = await service.token({ ...client, grant_type: 'client_credentials' });
    expectError(await revoke({ ...client, token: body.access_token }), {
      error: 'unsupported_token_type',
      reason: 'TOKEN_NOT_REVOCABLE',
    });
    expectNothing(await revoke({ client_id: 'other', token: body.access_token }));
  });

  it.each<[string, object, ExpectedError]>([
    ['no token', {}, oauth.missing('token')],
    ['an empty token', { token: '' }, oauth.missing('token')],
    ['a token that is too long', { token: 'x'.repeat(8193) }, oauth.tooLong('token', 8192)],
    ['two tokens', { token: ['a', 'b'] }, oauth.repeated('token')],
    ['an unknown client', { client_id: 'nobody', token: 'x' }, { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' }],
    [
      'a wrong secret',
      { client_id: 'backend', client_secret: 'x', token: 'x' },
      { error: 'unauthorized_client', word: 'invalid_client', reason: 'CLIENT_SECRET_WRONG' },
    ],
    [
      'a confidential client without its secret',
      { client_id: 'backend', token: 'x' },
      { error: 'unauthorized_client', word: 'invalid_client', reason: 'CLIENT_SECRET_MISSING' },
    ],
  ])('refuses %s', async (_, body, expected) => {
    expectError(await revoke(body), expected);
  });

  it('counts guesses by address, and a genuine token against its session alone', async () => {
    const { refresh_token, access_token } = await signIn();
    service.clock.advance(60);
    for (let i = 0; i < 30; i++) expectNothing(await revoke({ token: `m.${i}` }));
    expectError(await revoke({ token: 'm.x' }), LIMITED);
    expectNothing(await revoke({ token: access_token }));
    // now that its session has ended, its address pays
    expectError(await refresh(refresh_token), { error: 'resource_exhausted', reason: 'LIMIT_IP', retryAfter: 1 });
    service.clock.advance(1);
    expectError(await refresh(refresh_token), REVOKED);
  });

  it('has no other method', async () => {
    const response = await request(service.url).get('/oauth2/revoke?token=x');
    expectOtherMethodRefused(response, 'POST');
  });

  it('makes the user sign in again, and no more than that', async () => {
    const { refresh_token } = await signIn();
    const elsewhere = await signIn();
    await revoke({ token: refresh_token });
    const { status, body } = await refresh(elsewhere.refresh_token);
    expect([status, body.sub]).toEqual([200, sub]);
  });
});
