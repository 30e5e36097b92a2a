import request from 'supertest';
import { expectError, ISSUER, type Service, startService } from './service.js';

const PATHS = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

describe('discovery (RFC 8414, OpenID Connect Discovery)', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  it.each(PATHS)('describes at %s what is served', async (path) => {
    const response = await request(service.url).get(path);
    expect(response.body).toEqual({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/oauth2/token`,
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
      dpop_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
      device_authorization_endpoint: `${ISSUER}/oauth2/device_authorization`,
      revocation_endpoint: `${ISSUER}/oauth2/revoke`,
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      revocation_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
      introspection_endpoint: `${ISSUER}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      introspection_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
      authorization_endpoint: `${ISSUER}/oauth2/authorize`,
      pushed_authorization_request_endpoint: `${ISSUER}/oauth2/par`,
      end_session_endpoint: `${ISSUER}/oauth2/logout`,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'form_post'],
      prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      claims_parameter_supported: false,
      ui_locales_supported: ['en', 'zh-CN'],
      userinfo_endpoint: `${ISSUER}/oauth2/userinfo`,
      jwks_uri: `${ISSUER}/auth/v1/certs`,
      grant_types_supported: [
        'authorization_code',
        'client_credentials',
        'password',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:nest-auth:grant-type:anonymous',
        'urn:nest-auth:grant-type:sign_up',
        'urn:nest-auth:grant-type:verification',
      ],
      scopes_supported: ['openid', 'profile', 'email', 'phone', 'address'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      claims_supported: [
        ...['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'at_hash', 'sid'],
        ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile'],
        ...['picture', 'website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
        ...['email', 'email_verified', 'phone_number', 'phone_number_verified', 'address'],
      ],
    });
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(response.headers['cache-control']).toBe('public, max-age=300');
  });

  it('names no endpoint that is not there', async () => {
    const { body } = await request(service.url).get(PATHS[0]!);
    const endpoints = Object.entries(body as Record<string, string>).filter(([name]) => /(_endpoint|_uri)$/.test(name));
    for (const [name, url] of endpoints) {
      const { status } = await request(service.url).options(new URL(url).pathname);
      // every endpoint of ours answers for itself, if only to say which methods it has
      expect([name, status]).toEqual([name, name === 'jwks_uri' ? 404 : 405]);
    }
    expect(endpoints).toHaveLength(9);
    expect((await request(service.url).get('/auth/v1/certs')).status).toBe(200);
  });

  it.each([
    '/.well-known/oauth-authorization-server/tenant/a', // RFC 8414 §3.1
    '/.well-known/openid-configuration/tenant/a', // RFC 8414 §5
    '/.well-known/openid-configuration', // OpenID Connect Discovery §4, behind a proxy that takes the path away
    '/.well-known/oauth-authorization-server',
  ])('is found at %s where the issuer has a path', async (path) => {
    for (const issuer of ['https://example.com/tenant/a', 'https://example.com/tenant/a/']) {
      const other = await startService({ auth: { issuer } });
      const { status, body } = await request(other.url).get(path);
      expect([status, (body as { issuer: string }).issuer]).toEqual([200, issuer]);
      await other.close();
    }
  });

  it.each(PATHS)('describes no issuer but ours at %s/tenant (RFC 8414 §3.1)', async (path) => {
    for (const other of ['/tenant', '/auth/v1', '/%2e%2e', '//']) {
      const answer = await request(service.url).get(`${path}${other}`);
      expectError(answer, { error: 'not_found', reason: 'ROUTE_UNKNOWN' });
    }
  });

  it.each([...PATHS, '/auth/v1/certs'])(
    'says at %s that the answer varies by origin, to whoever asks (RFC 9110 §12.5.5)',
    async (path) => {
      const origin = 'https://app.example.com';
      const other = await startService({ settings: { corsOrigins: [origin] } });
      for (const from of [undefined, origin, 'https://evil.example', 'null']) {
        const { headers } = await request(other.url)
          .get(path)
          .set(from === undefined ? {} : { origin: from });
        expect(headers['cache-control']).toBe('public, max-age=300');
        expect(headers['vary']).toBe('Origin');
        expect(headers['access-control-allow-origin']).toBe(from === origin ? origin : undefined);
      }
      await other.close();
    },
  );

  it('has an issuer with a path (RFC 8414 §3.3: the very issuer of the tokens)', async () => {
    const issuer = 'https://example.com/tenant/';
    const other = await startService({ auth: { issuer, signingAlg: 'RS256' } });
    const { body } = await request(other.url).get(PATHS[0]!);
    expect(body).toMatchObject({
      issuer,
      token_endpoint: 'https://example.com/tenant/oauth2/token',
      jwks_uri: 'https://example.com/tenant/auth/v1/certs',
      id_token_signing_alg_values_supported: ['RS256'],
    });
    await other.close();
  });
});
