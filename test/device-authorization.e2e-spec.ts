import request from 'supertest';
import { LIMITED, expectOtherMethodRefused, oauth, MALFORMED_SCOPE } from './fixtures.js';
import { expectError, type ExpectedError, ISSUER, type Service, startService } from './service.js';

const PATH = '/oauth2/device_authorization';

describe('device authorization endpoint (RFC 8628 §3.1, §3.2)', () => {
  let service: Service;
  let secret: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: { requests: 40, seconds: 40 } } });
    await service.client({ id: 'tv' });
    await service.client({ id: 'web', grant_types: ['authorization_code'] });
    secret = (await service.client({ id: 'box', public: false })).client_secret!;
  });
  beforeEach(() => service.clock.advance(60));
  afterAll(() => service.close());

  const ask = (body: object) => request(service.url).post(PATH).type('form').send(body);
  const codes = {
    device_code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    user_code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/),
    verification_uri: `${ISSUER}/device`,
    verification_uri_complete: expect.stringMatching(/^https:\/\/auth\.example\.com\/device\?user_code=....-....$/),
    expires_in: 600,
    interval: 3,
  };

  it('answers a public client with its codes, which nobody may store', async () => {
    const response = await ask({ client_id: 'tv', scope: 'openid email' });
    expect(response.body).toEqual(codes);
    expect(response.status).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it('authenticates a confidential client (§3.1)', async () => {
    const response = await request(service.url).post(PATH).auth('box', secret).type('form').send({});
    expect([response.status, response.body]).toEqual([200, codes]);
  });

  it('gives codes that the token endpoint takes', async () => {
    const { body } = await ask({ client_id: 'tv' });
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
    const response = await request(service.url)
      .post('/oauth2/token')
      .type('form')
      .send({ client_id: 'tv', grant_type, device_code: body.device_code });
    expectError(response, { error: 'authorization_pending', reason: 'AUTHORIZATION_PENDING', retryAfter: 3 });
  });

  it.each<[string, object, ExpectedError]>([
    [
      'no client',
      {},
      {
        error: 'invalid_argument',
        word: 'invalid_client',
        reason: 'CLIENT_ID_MISSING',
        status: 401,
        fields: [{ field: 'client_id', description: 'is required' }],
      },
    ],
    ['an unknown client', { client_id: 'nobody' }, { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' }],
    [
      'a confidential client without its secret',
      { client_id: 'box' },
      { error: 'unauthorized_client', word: 'invalid_client', reason: 'CLIENT_SECRET_MISSING' },
    ],
    [
      'a wrong secret',
      { client_id: 'box', client_secret: 'x' },
      { error: 'unauthorized_client', word: 'invalid_client', reason: 'CLIENT_SECRET_WRONG' },
    ],
    [
      'a client without the grant',
      { client_id: 'web' },
      { error: 'permission_denied', word: 'unauthorized_client', status: 400, reason: 'GRANT_TYPE_NOT_ALLOWED' },
    ],
    [
      'a scope that the client may not have',
      { client_id: 'tv', scope: 'root' },
      { error: 'invalid_scope', reason: 'SCOPE_NOT_ALLOWED' },
    ],
    ['a malformed scope', { client_id: 'tv', scope: 'a  b' }, MALFORMED_SCOPE],
    ['a scope that is too long', { client_id: 'tv', scope: 'a'.repeat(1025) }, oauth.tooLong('scope', 1024)],
    ['a scope sent twice', { client_id: 'tv', scope: ['openid', 'email'] }, oauth.repeated('scope')],
  ])('refuses %s', async (_, body, expected) => {
    expectError(await ask(body), expected);
  });

  it('is throttled by address, whatever grant_type a caller writes beside', async () => {
    const { body } = await service.token({ client_id: 'box', client_secret: secret, grant_type: 'client_credentials' });
    const more = { grant_type: 'refresh_token', refresh_token: body.access_token, client_id: 'nobody' };
    for (let i = 0; i < 39; i++) expect((await ask(more)).status).toBe(401);
    expectError(await ask(more), LIMITED);
  });

  it('has no other method', async () => {
    const response = await request(service.url).get(PATH);
    expectOtherMethodRefused(response, 'POST');
  });
});
