import request, { type Response } from 'supertest';
import { type Service, startService } from './service.js';

describe('/oauth2/token: the same endpoint in the words of the standards', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
    await service.client({ id: 'app' });
    await service.client({ id: 'narrow', grant_types: ['refresh_token'] });
    await service.client({ id: 'backend', public: false });
    await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const ask = (body: object) => request(service.url).post('/oauth2/token').type('form').send(body);

  it('answers with the same tokens', async () => {
    const body = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    const here = await ask(body);
    const there = await service.token(body);
    expect([here.status, Object.keys(here.body)]).toEqual([200, Object.keys(there.body)]);
  });

  it.each<[string, object, number, string, string]>([
    ['no client (RFC 6749 §5.2)', {}, 401, 'invalid_client', 'CLIENT_ID_MISSING'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client', 'CLIENT_UNKNOWN'],
    ['a wrong secret', { client_id: 'backend', client_secret: 'x' }, 401, 'invalid_client', 'CLIENT_SECRET_WRONG'],
    ['no grant_type', { client_id: 'app' }, 400, 'invalid_request', 'PARAMETER_MISSING'],
    [
      'an unknown grant_type',
      { client_id: 'app', grant_type: 'implicit' },
      400,
      'unsupported_grant_type',
      'GRANT_TYPE_UNSUPPORTED',
    ],
    [
      'a grant_type that the client may not use',
      { client_id: 'narrow', grant_type: 'password' },
      400,
      'unauthorized_client',
      'GRANT_TYPE_NOT_ALLOWED',
    ],
    [
      'a wrong password',
      { client_id: 'app', grant_type: 'password', username: 'ada', password: 'wrong' },
      400,
      'invalid_grant',
      'WRONG_USERNAME_OR_PASSWORD',
    ],
    [
      'a wrong refresh token',
      { client_id: 'app', grant_type: 'refresh_token', refresh_token: 'm.x' },
      400,
      'invalid_grant',
      'REFRESH_TOKEN_INVALID',
    ],
    [
      'a scope that is not allowed',
      { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse', scope: 'root' },
      400,
      'invalid_scope',
      'SCOPE_NOT_ALLOWED',
    ],
  ])('calls %s by its standard name', async (_, body, status, error, reason) => {
    const response: Response = await ask(body);
    expect([response.status, response.body.error, response.body.details[0].reason]).toEqual([status, error, reason]);
  });
});
