import request from 'supertest';
import { Sweeper } from '../src/base/database/sweeper.js';
import { ISSUER, type Service, startService } from './service.js';
import { answerOf, CALLBACK, type Fields, REQUEST, titleOf, Visitor } from './visitor.js';

describe('POST /oauth2/par: pushed authorization requests (RFC 9126)', () => {
  let service: Service;
  let visitor: Visitor;
  let backend: { client_id: string; client_secret?: string };

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false } });
    await service.client({ id: 'app' });
    await service.client({ id: 'other' });
    backend = await service.client({ id: 'backend', public: false });
  });
  afterAll(() => service.close());
  beforeEach(() => (visitor = new Visitor(service.url)));

  const push = (fields: Fields = {}) =>
    request(service.url)
      .post('/oauth2/par')
      .type('form')
      .send({ ...REQUEST, ...fields });
  const bring = (request_uri: string, more: Fields = {}) =>
    visitor.get('/oauth2/authorize', { client_id: 'app', request_uri, ...more });

  it('answers 201 with a request_uri that /oauth2/authorize takes (§2.2, §4)', async () => {
    const { status, body, headers } = await push({ prompt: 'none' });
    expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
    expect(body).toEqual({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/),
      expires_in: 90,
    });
    expect(answerOf(await bring(body.request_uri))).toEqual({
      redirect_uri: CALLBACK,
      error: 'login_required',
      error_description: 'The user has to sign in.',
      state: 'st-1',
      iss: ISSUER,
    });
  });

  it('lets nothing in the query change what was pushed (§4)', async () => {
    const { body } = await push({ prompt: 'none' });
    const more = { redirect_uri: 'https://evil.example/', state: 'other', prompt: 'login', response_mode: 'form_post' };
    expect(answerOf(await bring(body.request_uri, more))).toMatchObject({ redirect_uri: CALLBACK, state: 'st-1' });
  });

  it('works once (§7.3), and its page can be reloaded', async () => {
    const { body } = await push();
    const { headers } = await bring(body.request_uri);
    expect(titleOf(await visitor.get(headers['location']!))).toBe('Sign in');
    expect(titleOf(await visitor.get(headers['location']!))).toBe('Sign in');
    await refused(await bring(body.request_uri));
  });

  it('works once of any number of parallel uses', async () => {
    const { body } = await push({ prompt: 'none' });
    const answers = await Promise.all(Array.from({ length: 8 }, () => bring(body.request_uri)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array<number>(7).fill(400)]);
  });

  it('expires', async () => {
    const { body } = await push();
    service.clock.advance(90);
    await refused(await bring(body.request_uri));
  });

  it('works for the client that pushed alone, and is not used up by another (§4)', async () => {
    const { body } = await push({ prompt: 'none' });
    await refused(await bring(body.request_uri, { client_id: 'other' }));
    expect((await bring(body.request_uri)).status).toBe(303);
  });

  it.each(['', 'x', 'A'.repeat(43)])('is refused where it is not ours: %j', async (reference) => {
    await refused(await bring(`urn:ietf:params:oauth:request_uri:${reference}`));
  });

  it('is not stored in the clear, and is swept away', async () => {
    const { body } = await push();
    const rows = async () => JSON.stringify(await service.sql('SELECT * FROM auth_pushed_request'));
    expect(await rows()).not.toContain((body.request_uri as string).slice(-43));
    service.clock.advance(91);
    await service.app.get(Sweeper).sweep();
    expect(await rows()).toBe('[]');
  });

  it.each<[string, Fields, number, string, string]>([
    ['no client', { client_id: undefined }, 401, 'invalid_client', 'CLIENT_ID_MISSING'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client', 'CLIENT_UNKNOWN'],
    ['a client that does not authenticate', { client_id: 'backend' }, 401, 'invalid_client', 'CLIENT_SECRET_MISSING'],
    ['a wrong secret', { client_id: 'backend', client_secret: 'x' }, 401, 'invalid_client', 'CLIENT_SECRET_WRONG'],
    [
      'a redirect_uri that is not registered',
      { redirect_uri: `${CALLBACK}/` },
      400,
      'invalid_request',
      'REDIRECT_URI_UNREGISTERED',
    ],
    ['no redirect_uri', { redirect_uri: undefined }, 400, 'invalid_request', 'PARAMETER_MISSING'],
    [
      'a request_uri (§2.1)',
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      400,
      'request_uri_not_supported',
      'REQUEST_URI_UNSUPPORTED',
    ],
    ['a request object', { request: 'eyJ' }, 400, 'request_not_supported', 'REQUEST_OBJECT_UNSUPPORTED'],
    [
      'another response_type',
      { response_type: 'token' },
      400,
      'unsupported_response_type',
      'RESPONSE_TYPE_UNSUPPORTED',
    ],
    ['a scope that is not allowed', { scope: 'root' }, 400, 'invalid_scope', 'SCOPE_NOT_ALLOWED'],
    [
      'no code_challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      400,
      'invalid_request',
      'PARAMETER_MISSING',
    ],
    ['two states', { state: ['a', 'b'] }, 400, 'invalid_request', 'PARAMETER_REPEATED'],
  ])('refuses %s', async (_, fields, status, error, reason) => {
    const sent = Object.entries({ ...REQUEST, ...fields }).flatMap(([name, value]) =>
      value === undefined ? [] : [value].flat().map((one) => [name, one] as [string, string]),
    );
    const response = await request(service.url)
      .post('/oauth2/par')
      .type('form')
      .send(new URLSearchParams(sent).toString());
    expect([response.status, response.body.error, response.body.details[0].reason]).toEqual([status, error, reason]);
  });

  it('takes a confidential client with its secret', async () => {
    const { status } = await push({
      ...backend,
      code_challenge: undefined,
      code_challenge_method: undefined,
    });
    expect(status).toBe(201);
  });

  it('answers other methods with 405', async () => {
    const { status, headers } = await request(service.url).get('/oauth2/par');
    expect([status, headers['allow']]).toEqual([405, 'POST']);
  });

  async function refused(response: Awaited<ReturnType<Visitor['get']>>) {
    expect([response.status, titleOf(response), response.headers['location']]).toEqual([
      400,
      'This did not work',
      undefined,
    ]);
  }
});
