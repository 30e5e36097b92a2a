import { createHash } from 'node:crypto';
import request from 'supertest';
import { authorizationMetadata } from '../src/oauth/authorization/metadata.js';
import { ISSUER, type Service, startService } from './service.js';
import { answerOf, CALLBACK, type Fields, formOf, titleOf, Visitor } from './visitor.js';

/**
 * The modules of the OpenID Foundation's Basic OP plan (oidcc-basic-certification-test-plan: response_type=code,
 * client_secret_basic, plain HTTP request) and of its Config OP plan, by their names. Not mirrored, and why:
 *   oidcc-idtoken-unsigned, oidcc-request-uri-unsigned: neither unsigned tokens nor requests by reference are offered;
 *   oidcc-claims-essential, oidcc-scope-address: claims that the built-in users do not have;
 *   oidcc-server-rotate-keys: keys.e2e-spec.ts; oidcc-userinfo-*: userinfo.e2e-spec.ts.
 */
describe('OpenID Foundation, Basic OP', () => {
  let service: Service;
  let visitor: Visitor;
  let sub: string;
  const secrets: Record<string, string> = {};

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    for (const id of ['client', 'client2']) {
      const { client_secret } = await service.client({ id, public: false, first_party: true });
      secrets[id] = client_secret!;
    }
    sub = await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());
  beforeEach(() => {
    visitor = new Visitor(service.url);
    service.clock.advance(10);
  });

  const base = {
    response_type: 'code',
    client_id: 'client',
    redirect_uri: CALLBACK,
    scope: 'openid',
    state: 's',
    nonce: 'n',
  };
  const ask = async (more: Fields = {}) => visitor.follow(await visitor.get('/oauth2/authorize', { ...base, ...more }));
  const signIn = async (more: Fields = {}) => visitor.signIn(await ask(more));
  const redeem = async (response: Awaited<ReturnType<typeof ask>>, more: Record<string, string> = {}) => {
    const basic = Buffer.from(`client:${secrets['client']}`).toString('base64');
    const answer = await fetch(`${service.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: answerOf(response)['code']!,
        redirect_uri: CALLBACK,
        ...more,
      }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString());
  const claimsOf = async (response: Awaited<ReturnType<typeof ask>>) =>
    claims((await redeem(response)).body['id_token']!);

  it('oidcc-server', async () => {
    const response = await signIn();
    expect(answerOf(response)).toEqual({ redirect_uri: CALLBACK, code: expect.any(String), state: 's', iss: ISSUER });
    const { status, body } = await redeem(response);
    expect([status, body['token_type'], body['scope']]).toEqual([200, 'Bearer', 'openid']);
    const { iat, exp, ...rest } = claims(body['id_token']!);
    expect(exp).toBeGreaterThan(iat as number);
    const half = createHash('sha256').update(body['access_token']!).digest().subarray(0, 16);
    expect(rest).toMatchObject({ iss: ISSUER, sub, aud: 'client', nonce: 'n', at_hash: half.toString('base64url') });
  });

  it('oidcc-response-type-missing', async () => {
    expect(answerOf(await ask({ response_type: undefined }))).toMatchObject({ error: 'invalid_request', state: 's' });
  });

  it('oidcc-idtoken-signature', async () => {
    const { body } = await redeem(await signIn());
    const { alg, kid } = JSON.parse(Buffer.from(body['id_token']!.split('.')[0]!, 'base64url').toString());
    const { keys } = (await (await fetch(`${service.url}/auth/v1/certs`)).json()) as {
      keys: { kid: string; alg: string }[];
    };
    expect(keys).toContainEqual(expect.objectContaining({ kid, alg }));
  });

  it('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    expect(await claimsOf(await signIn({ nonce: undefined }))).not.toHaveProperty('nonce');
  });

  it('oidcc-scope-profile, oidcc-scope-email, oidcc-scope-all', async () => {
    for (const scope of ['openid profile', 'openid email', 'openid profile email']) {
      visitor = new Visitor(service.url);
      expect((await redeem(await signIn({ scope }))).body['scope']).toBe(scope);
    }
  });

  it('oidcc-ensure-other-scope-order-succeeds', async () => {
    expect((await redeem(await signIn({ scope: 'email openid' }))).body).toHaveProperty('id_token');
  });

  it('oidcc-display-page, oidcc-display-popup', async () => {
    for (const display of ['page', 'popup']) expect(titleOf(await ask({ display }))).toBe('Sign in');
  });

  it('oidcc-prompt-login', async () => {
    const first = await claimsOf(await signIn());
    service.clock.advance(1);
    const page = await ask({ prompt: 'login' });
    expect(titleOf(page)).toBe('Sign in');
    const second = await claimsOf(await visitor.signIn(page));
    expect(second.auth_time).toBeGreaterThan(first.auth_time as number);
  });

  it('oidcc-prompt-none-not-logged-in', async () => {
    expect(answerOf(await ask({ prompt: 'none' }))).toMatchObject({ error: 'login_required', state: 's' });
  });

  it('oidcc-prompt-none-logged-in', async () => {
    const first = await claimsOf(await signIn());
    const second = await claimsOf(await ask({ prompt: 'none' }));
    expect([second.sub, second.auth_time]).toEqual([first.sub, first.auth_time]);
  });

  it('oidcc-max-age-1', async () => {
    await signIn();
    service.clock.advance(2);
    const page = await ask({ max_age: '1' });
    expect(titleOf(page)).toBe('Sign in');
    expect((await claimsOf(await visitor.signIn(page))).auth_time).toBe(service.clock.now() / 1000);
  });

  it('oidcc-max-age-10000', async () => {
    const first = await claimsOf(await signIn());
    service.clock.advance(1);
    expect((await claimsOf(await ask({ max_age: '10000' }))).auth_time).toBe(first.auth_time);
  });

  it('oidcc-ensure-request-with-unknown-parameter-succeeds', async () => {
    expect(answerOf(await signIn({ extra: 'foobar' }))).toHaveProperty('code');
  });

  it('oidcc-id-token-hint', async () => {
    const { body } = await redeem(await signIn());
    const hinted = await claimsOf(await ask({ prompt: 'none', id_token_hint: body['id_token']! }));
    expect(hinted.sub).toBe(sub);
  });

  it('oidcc-login-hint', async () => {
    expect((await ask({ login_hint: 'ada@example.com' })).text).toContain('value="ada@example.com"');
  });

  it('oidcc-ui-locales, oidcc-claims-locales', async () => {
    expect(titleOf(await ask({ ui_locales: 'se', claims_locales: 'se' }))).toBe('Sign in');
  });

  it('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    expect(answerOf(await signIn({ acr_values: '1 2' }))).toHaveProperty('code');
  });

  it('oidcc-codereuse, oidcc-codereuse-30seconds', async () => {
    const response = await signIn();
    const first = await redeem(response);
    service.clock.advance(30);
    const second = await redeem(response);
    expect([second.status, second.body['error']]).toEqual([400, 'invalid_grant']);
    const refresh = { grant_type: 'refresh_token', refresh_token: first.body['refresh_token']! };
    expect((await redeem(response, refresh)).body['error']).toBe('invalid_grant'); // what it gave is revoked
  });

  it('oidcc-ensure-registered-redirect-uri', async () => {
    const page = await ask({ redirect_uri: `${CALLBACK}/unregistered` });
    expect([page.status, titleOf(page), page.headers['location']]).toEqual([400, 'This did not work', undefined]);
  });

  it('oidcc-ensure-post-request-succeeds', async () => {
    const page = await visitor.follow(await visitor.post('/oauth2/authorize', base));
    expect(answerOf(await visitor.signIn(page))).toMatchObject({ code: expect.any(String), state: 's' });
  });

  it('oidcc-server-client-secret-post', async () => {
    const answer = await service.token({
      client_id: 'client2',
      client_secret: secrets['client2'],
      grant_type: 'authorization_code',
      code: answerOf(await signIn({ client_id: 'client2' }))['code'],
      redirect_uri: CALLBACK,
    });
    expect(answer.status).toBe(200);
  });

  it('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
    expect(answerOf(await ask({ request: 'eyJhbGciOiJub25lIn0.e30.' }))).toMatchObject({
      error: 'request_not_supported',
    });
    expect(authorizationMetadata((path) => ISSUER + path).request_parameter_supported).toBe(false);
  });

  it('oidcc-refresh-token', async () => {
    const response = await signIn();
    const { body } = await redeem(response);
    const refresh = { grant_type: 'refresh_token', refresh_token: body['refresh_token']! };
    const next = await redeem(response, refresh);
    expect([next.status, claims(next.body['id_token']!).sub]).toEqual([200, sub]);
  });

  it('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const code_verifier = 'a'.repeat(43);
    const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
    const response = await signIn({ code_challenge, code_challenge_method: 'S256' });
    expect((await redeem(response, { code_verifier })).status).toBe(200);
  });

  it('oidcc-server with response_mode=form_post (Form Post OP)', async () => {
    expect(formOf(await signIn({ response_mode: 'form_post' }))).toEqual({
      action: CALLBACK,
      fields: { code: expect.any(String), state: 's', iss: ISSUER },
    });
  });
});

describe('OpenID Foundation, Config OP', () => {
  it('oidcc-discovery-endpoint-verification', async () => {
    const service = await startService({ reachable: true });
    const issuer = service.url;
    const { status, body } = await request(issuer).get('/.well-known/openid-configuration');
    expect(status).toBe(200);
    // OpenID Connect Discovery §3: what every document must have, and that issuer and keys are where it says
    expect(body).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
      token_endpoint: `${issuer}/oauth2/token`,
      userinfo_endpoint: `${issuer}/oauth2/userinfo`,
      jwks_uri: `${issuer}/auth/v1/certs`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
    const { keys } = (await fetch(body.jwks_uri as string).then((answer) => answer.json())) as { keys: object[] };
    expect(keys).toEqual([expect.objectContaining({ kty: 'EC', use: 'sig', alg: 'ES256', kid: expect.any(String) })]);
    expect(keys[0]).not.toHaveProperty('d');
    await service.close();
  });
});
