import request, { type Response } from 'supertest';
import { MALFORMED_SCOPE, signIn, type Tokens } from './fixtures.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { expectError, type Service, startService } from './service.js';
import { answerOf, CALLBACK, REQUEST, Visitor } from './visitor.js';

const MALFORMED = ['openid  profile', ' openid', 'openid ', '"openid"', 'open\\id', 'ópenid', 'openid\tprofile', ' '];

/** Every endpoint that takes a scope, and a request there that is right but for it. */
const ENDPOINTS: [string, (url: string, scope: string, tokens: Tokens) => request.Test][] = [
  ...['/auth/v1/token', '/oauth2/token'].flatMap((path): typeof ENDPOINTS => {
    const ask = (url: string, body: object) => request(url).post(path).type('form').send(body);
    const password = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    return [
      [`${path}, password`, (url, scope) => ask(url, { ...password, scope })],
      [
        `${path}, refresh_token`,
        (url, scope, { refresh_token }) =>
          ask(url, { client_id: 'app', grant_type: 'refresh_token', refresh_token, scope }),
      ],
      [
        `${path}, client_credentials`,
        (url, scope) =>
          ask(url, { client_id: 'backend', client_secret: SECRET, grant_type: 'client_credentials', scope }),
      ],
      [
        `${path}, verification`,
        (url, scope) =>
          ask(url, {
            client_id: 'app',
            grant_type: 'verification',
            username: 'ada@example.com',
            verification_token: 'x',
            scope,
          }),
      ],
      [
        `${path}, sign_up`,
        (url, scope) =>
          ask(url, {
            client_id: 'app',
            grant_type: 'sign_up',
            email: 'ada@example.com',
            verification_token: 'x',
            scope,
          }),
      ],
    ];
  }),
  [
    '/oauth2/par',
    (url, scope) =>
      request(url)
        .post('/oauth2/par')
        .type('form')
        .send({ ...REQUEST, scope }),
  ],
  [
    '/oauth2/device_authorization',
    (url, scope) => request(url).post('/oauth2/device_authorization').type('form').send({ client_id: 'app', scope }),
  ],
  ['/auth/v1/device/code', (url, scope) => request(url).post('/auth/v1/device/code').send({ client_id: 'app', scope })],
  [
    '/auth/v1/signin',
    (url, scope) =>
      request(url)
        .post('/auth/v1/signin')
        .send({ client_id: 'app', username: 'ada', password: 'correct horse', scope }),
  ],
  [
    '/auth/v1/user/authorize',
    (url, scope, { access_token }) =>
      request(url)
        .post('/auth/v1/user/authorize')
        .set('Authorization', `Bearer ${access_token}`)
        .send({ client_id: 'app', redirect_uri: CALLBACK, scope }),
  ],
  [
    '/auth/v1/user/authorize/info',
    (url, scope) => request(url).get('/auth/v1/user/authorize/info').query({ client_id: 'app', scope }),
  ],
];
const SECRET = 'x'.repeat(43);

describe('a malformed scope', () => {
  let service: Service;
  let tokens: Tokens;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({
      id: 'app',
      grant_types: [
        'password',
        'refresh_token',
        'authorization_code',
        'urn:ietf:params:oauth:grant-type:device_code',
        'verification',
        'sign_up',
      ],
    });
    await service.app.get(ClientService).create({ id: 'backend', grant_types: ['client_credentials'] }, SECRET);
    await service.user('ada', 'correct horse');
    tokens = await signIn(service);
  });
  afterAll(() => service.close());

  it.each(ENDPOINTS)('is invalid_scope at %s (RFC 6749 §5.2), and uses nothing up', async (_, ask) => {
    for (const scope of MALFORMED) expectError(await ask(service.url, scope, tokens), MALFORMED_SCOPE);
    const { body } = await service.token({ client_id: 'app', grant_type: 'refresh_token', ...tokens });
    expect(body.error).toBeUndefined();
    tokens = body as Tokens;
  });

  it.each(MALFORMED)('is invalid_scope at the redirect_uri (RFC 6749 §4.1.2.1): %j', async (scope) => {
    const answer: Response = await new Visitor(service.url).authorize({ scope });
    expect(answerOf(answer)).toEqual({
      redirect_uri: CALLBACK,
      error: 'invalid_scope',
      error_description: 'The scope is malformed. scope must be words separated by single spaces.',
      state: 'st-1',
      iss: expect.any(String),
    });
  });
});
