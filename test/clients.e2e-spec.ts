import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import request from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { expectError, ISSUER, type Service, startService } from './service.js';

describe('clients', () => {
  let service: Service;
  let clients: ClientService;
  let secret: string;

  beforeAll(async () => {
    service = await startService({ auth: { defaultClientId: 'backend' } });
    clients = service.app.get(ClientService);
    secret = (await service.client({ id: 'backend', public: false })).client_secret!;
    await service.client({ id: 'app' });
  });
  afterAll(() => service.close());

  const ask = (more: object = {}, headers: Record<string, string> = {}) =>
    service.token({ client_id: 'backend', grant_type: 'client_credentials', client_secret: secret, ...more }, headers);

  describe('client_credentials grant (RFC 6749 §4.4)', () => {
    it('answers with an access token alone', async () => {
      const { status, body } = await ask({ scope: 'profile email' });
      expect(body).toEqual({
        token_type: 'Bearer',
        access_token: expect.any(String),
        expires_in: 7200,
        scope: 'profile email',
        sub: 'backend',
        groups: [],
        need_weda_resource: false,
      });
      expect(status).toBe(200);
    });

    it('is about no user: it never grants openid, and sub is the client (RFC 9068 §2.2)', async () => {
      const { body } = await ask();
      expect(body.scope).toBe('profile');
      const jwks = createLocalJWKSet((await request(service.url).get('/auth/v1/certs')).body as JSONWebKeySet);
      const { payload } = await jwtVerify(body.access_token, jwks, { currentDate: new Date(service.clock.now()) });
      const iat = service.clock.now() / 1000;
      expect(payload).toEqual({
        iss: ISSUER,
        sub: 'backend',
        aud: ISSUER,
        exp: iat + 7200,
        iat,
        jti: expect.any(String),
        client_id: 'backend',
        scope: 'profile',
        groups: [],
      });
    });

    it('is for confidential clients only', async () => {
      await service.client({ id: 'greedy', grant_types: ['client_credentials'] });
      expectError(await ask({ client_id: 'greedy', client_secret: '' }), {
        error: 'permission_denied',
        reason: 'CLIENT_PUBLIC',
      });
    });
  });

  it('authenticate by Basic, each half form-url-decoded (RFC 6749 §2.3.1)', async () => {
    const odd = 'a secret: with +, % and / of 32 characters';
    await clients.create({ id: 'odd:client', grant_types: ['client_credentials'] }, odd);
    const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
    const basic = Buffer.from(`${encode('odd:client')}:${encode(odd)}`).toString('base64');
    const { body } = await service.token({ grant_type: 'client_credentials' }, { authorization: `Basic ${basic}` });
    expect(body.sub).toBe('odd:client');
  });

  it('may be left out where there is a default client', async () => {
    expect((await ask({ client_id: undefined })).body.sub).toBe('backend');
  });

  it('keep their secrets as keyed hashes', async () => {
    const rows = await service.sql<{ hash: string }>('SELECT * FROM auth_client_secret');
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(rows[0]!.hash).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('have several living secrets, each with its own expiry', async () => {
    const first = (await clients.create({ id: 'rotating', grant_types: ['client_credentials'] })).secret!;
    const client_id = 'rotating';
    const second = await clients.rotateSecret(client_id, 3600);
    expect((await ask({ client_id, client_secret: first })).status).toBe(200);
    expect((await ask({ client_id, client_secret: second })).status).toBe(200);
    service.clock.advance(3600);
    expectError(await ask({ client_id, client_secret: first }), {
      error: 'unauthorized_client',
      reason: 'CLIENT_SECRET_WRONG',
    });
    const third = await clients.rotateSecret(client_id, 0);
    expect((await ask({ client_id, client_secret: second })).status).toBe(401);
    expect((await ask({ client_id, client_secret: third })).status).toBe(200);
  });

  it('show a change made by another process within seconds, without a query for each request', async () => {
    await service.client({ id: 'cached', public: false, grant_types: ['client_credentials'] });
    await ask({ client_id: 'cached' });
    await service.sql("UPDATE auth_client SET disabled = TRUE WHERE id = 'cached'");
    expect((await ask({ client_id: 'cached' })).body.error).toBe('unauthorized_client');
    service.clock.advance(2);
    expectError(await ask({ client_id: 'cached' }), { error: 'invalid_client', reason: 'CLIENT_DISABLED' });
  });

  it('that were unknown are found as soon as they are registered', async () => {
    expect((await ask({ client_id: 'late' })).body.error).toBe('invalid_client');
    await clients.create({ id: 'late', grant_types: ['client_credentials'] }, 'x'.repeat(32));
    expect((await ask({ client_id: 'late', client_secret: 'x'.repeat(32) })).status).toBe(200);
  });
});
