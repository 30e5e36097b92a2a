import { calculateJwkThumbprint, decodeJwt } from 'jose';
import request, { type Response } from 'supertest';
import { redeem, signIn } from './fixtures.js';
import { dpopProof, hashOf, type KeyPair, keyPair } from './jwts.js';
import { expectError, ISSUER, type Service, startService } from './service.js';
import { answerOf, CALLBACK, REQUEST, VERIFIER, Visitor } from './visitor.js';

const CHALLENGE = expect.stringMatching(/^DPoP realm="auth", error="invalid_(token|dpop_proof)", algs="/);
const MISSING = { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_MISSING' } as const;
const MISMATCH = { error: 'invalid_grant', reason: 'DPOP_KEY_MISMATCH' } as const;

type Method = 'get' | 'post' | 'patch' | 'delete';

/** Every door that takes a token in the Authorization header. */
const DOORS: [Method, string, object?][] = [
  ['get', '/auth/v1/token/introspect'],
  ['post', '/auth/v1/user/signout'],
  ['post', '/auth/v1/revoke'],
  ['post', '/auth/v1/verification', { email: 'a@example.com' }],
  ['post', '/auth/v1/device/code', {}],
  ['get', '/auth/v1/user/authorize/info?client_id=app'],
  ['post', '/auth/v1/user/authorize', { client_id: 'app', redirect_uri: CALLBACK }],
  ['post', '/auth/v1/user/device/authorize', { user_code: 'AAAA-AAAA' }],
  ['get', '/auth/v1/user/me'],
  ['post', '/auth/v1/user/sudo', { password: 'correct horse' }],
  ['patch', '/auth/v1/user/password', {}],
  ['patch', '/auth/v1/user/profile', { name: 'Eve' }],
  ['patch', '/auth/v1/user/contact', {}],
  ['post', '/auth/v1/user/basic/edit', { nickname: 'Eve' }],
  ['delete', '/auth/v1/user/revoke/all'],
  ['delete', '/auth/v1/user/authorized/devices/d-1'],
  ['get', '/oauth2/userinfo'],
  ['post', '/oauth2/userinfo'],
];

describe('a token that is bound to a key (RFC 9449 §7)', () => {
  let service: Service;
  let key: KeyPair;
  let other: KeyPair;
  let backend: { client_id: string; client_secret?: string };

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({
      id: 'app',
      grant_types: [
        'password',
        'refresh_token',
        'authorization_code',
        'urn:ietf:params:oauth:grant-type:device_code',
        'anonymous',
        'sign_up',
      ],
    });
    backend = await service.client({ id: 'backend', public: false });
    await service.user('ada', 'correct horse');
    [key, other] = [await keyPair(), await keyPair()];
  });
  afterAll(() => service.close());

  const proof = (path: string, more: Parameters<typeof dpopProof>[3] = {}, by = key) =>
    dpopProof(by, service.clock.now(), `${ISSUER}${path.replace(/\?.*/, '')}`, more);
  const bound = async (more: object = {}) =>
    signIn(service, more, { DPoP: await proof('/auth/v1/token'), 'x-device-id': 'd-1' });
  const knock = ([method, path, body]: (typeof DOORS)[number], headers: Record<string, string>): Promise<Response> => {
    const asked = request(service.url)[method](path).set(headers);
    return body ? asked.send(body) : asked;
  };
  const usedJtis = async () => (await service.sql('SELECT hash FROM auth_used_jti')).length;
  const refreshes = async (refresh_token: string, more: object = { client_id: 'app' }) =>
    (
      await service.token(
        { ...more, grant_type: 'refresh_token', refresh_token },
        { DPoP: await proof('/auth/v1/token') },
      )
    ).status;

  it.each(DOORS)('is refused as a Bearer token at %s %s, and nothing happens (§7.2)', async (...door) => {
    const { access_token, refresh_token } = await bound();
    const answer = await knock(door, { Authorization: `Bearer ${access_token}` });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toEqual(CHALLENGE);
    expect(await refreshes(refresh_token)).toBe(200);
  });

  it.each(DOORS)(
    'is refused at %s %s without a proof, with one of another key or of another token',
    async (...door) => {
      const { access_token, refresh_token } = await bound();
      const [method, path] = door;
      const htm = method.toUpperCase();
      const before = await usedJtis();
      for (const DPoP of [
        undefined,
        await proof(path, { htm, ath: hashOf(access_token) }, other),
        await proof(path, { htm, ath: hashOf('another') }),
        await proof(path, { htm }),
      ]) {
        const answer = await knock(door, { Authorization: `DPoP ${access_token}`, ...(DPoP && { DPoP }) });
        expect(answer.status).toBe(401);
        expect(answer.headers['www-authenticate']).toEqual(CHALLENGE);
      }
      expect(await usedJtis()).toBe(before); // a proof that proves nothing here costs no write
      expect(await refreshes(refresh_token)).toBe(200);
    },
  );

  it.each(DOORS)('is taken at %s %s with a proof of its key, once', async (...door) => {
    const { access_token } = await bound();
    const [method, path] = door;
    const DPoP = await proof(path, { htm: method.toUpperCase(), ath: hashOf(access_token) });
    const before = await usedJtis();
    expect((await knock(door, { Authorization: `DPoP ${access_token}`, DPoP })).status).not.toBe(401);
    expect(await usedJtis()).toBe(before + 1);
    expect((await knock(door, { Authorization: `DPoP ${access_token}`, DPoP })).status).toBe(401);
  });

  it('is introspected by its owner, and says so once its session has ended', async () => {
    const { access_token } = await bound();
    const introspect = async () =>
      knock(['get', '/auth/v1/token/introspect'], {
        Authorization: `DPoP ${access_token}`,
        DPoP: await proof('/auth/v1/token/introspect', { htm: 'GET', ath: hashOf(access_token) }),
      });
    expect((await introspect()).body).toMatchObject({ active: true, token_type: 'DPoP' });
    const DPoP = await proof('/auth/v1/user/signout', { ath: hashOf(access_token) });
    await knock(['post', '/auth/v1/user/signout'], { Authorization: `DPoP ${access_token}`, DPoP });
    expect((await introspect()).body).toEqual({ active: false });
  });

  it.each(['/auth/v1/signin', '/auth/v1/token', '/oauth2/token'])('is what a proof gets at %s (§5)', async (path) => {
    const answer = await request(service.url)
      .post(path)
      .set({ DPoP: await proof(path) })
      .send({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' });
    expect(answer.body.token_type).toBe('DPoP');
  });

  describe.each(['/oauth2/revoke', '/auth/v1/revoke'])('as the token at %s (RFC 7009)', (path) => {
    const revoke = (body: object, DPoP?: string) =>
      request(service.url)
        .post(path)
        .type('form')
        .set(DPoP === undefined ? {} : { DPoP })
        .send(body);
    it.each(['access_token', 'refresh_token'] as const)(
      'ends the session of a public client with a proof of its key alone: %s',
      async (kind) => {
        const tokens = await bound();
        const body = { client_id: 'app', token: tokens[kind] };
        const before = await usedJtis();
        expectError(await revoke(body), MISSING);
        expectError(await revoke(body, await proof(path, {}, other)), MISMATCH);
        expect(await usedJtis()).toBe(before);
        expect(await refreshes(tokens.refresh_token)).toBe(200);
        expect((await revoke(body, await proof(path))).body).toEqual({});
        expect(await refreshes(tokens.refresh_token)).toBe(400);
        expect([(await revoke(body)).status, (await revoke(body)).body]).toEqual([200, {}]); // it has ended (§2.2)
      },
    );

    it('ends the session of a confidential client, which has proven that the token is its own (§2.1)', async () => {
      const { access_token, refresh_token } = await bound(backend);
      expect((await revoke({ ...backend, token: access_token })).body).toEqual({});
      expect(await refreshes(refresh_token, backend)).toBe(400);
    });

    it('is ended without ado where it is bound to nothing', async () => {
      const { refresh_token } = await signIn(service);
      expect((await revoke({ client_id: 'app', token: refresh_token })).body).toEqual({});
      expect(await refreshes(refresh_token)).toBe(400);
    });
  });

  it('gives no anonymous account away as anonymous_token without a proof of its key', async () => {
    const anonymous = await request(service.url)
      .post('/auth/v1/signin/anonymously')
      .set({ 'x-device-id': 'phone', DPoP: await proof('/auth/v1/signin/anonymously') })
      .send({ client_id: 'app' });
    expect(decodeJwt(anonymous.body.access_token)).toMatchObject({
      cnf: { jkt: await calculateJwkThumbprint(key.jwk) },
    });
    const signUp = (DPoP?: string) =>
      request(service.url)
        .post('/auth/v1/signup')
        .set(DPoP === undefined ? {} : { DPoP })
        .send({
          client_id: 'app',
          email: 'eve@example.com',
          verification_token: 'x',
          anonymous_token: anonymous.body.access_token,
        });
    expectError(await signUp(), MISSING);
    expectError(await signUp(await proof('/auth/v1/signup', {}, other)), MISMATCH);
    expectError(await signUp(await proof('/auth/v1/signup')), {
      error: 'invalid_verification_code',
      reason: 'VERIFICATION_TOKEN_INVALID',
    });
  });

  describe('a proof at the token endpoint (RFC 9449 §5)', () => {
    it('is used up only after its key was compared, and by nothing that is refused before', async () => {
      const { refresh_token } = await bound();
      const before = await usedJtis();
      const DPoP = await proof('/auth/v1/token', {}, other);
      const refresh = { client_id: 'app', grant_type: 'refresh_token', refresh_token };
      expectError(await service.token(refresh, { DPoP }), MISMATCH);
      expectError(await service.token({ ...refresh, scope: 'email' }, { DPoP }), {
        error: 'invalid_scope',
        reason: 'SCOPE_WIDENED',
      });
      const password = { client_id: 'app', grant_type: 'password', username: 'ada' };
      expectError(await service.token({ ...password, password: 'wrong' }, { DPoP }), {
        error: 'invalid_argument',
        reason: 'WRONG_USERNAME_OR_PASSWORD',
      });
      expect(await usedJtis()).toBe(before);
      expect((await service.token({ ...password, password: 'correct horse' }, { DPoP })).status).toBe(200);
      expect(await usedJtis()).toBe(before + 1);
    });

    it('gets a refresh token its successor once: replayed with the successor, it is refused and that lives on', async () => {
      const { refresh_token } = await bound();
      const DPoP = await proof('/auth/v1/token');
      const refresh = (token: string) =>
        service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token: token }, { DPoP });
      const next = (await refresh(refresh_token)).body.refresh_token as string;
      expectError(await refresh(next), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_REUSED' });
      expect(await refreshes(next)).toBe(200);
    });
  });

  describe('a proof at the pushed authorization request endpoint (RFC 9449 §10.1)', () => {
    const push = (DPoP: string | undefined, more: object = {}) =>
      request(service.url)
        .post('/oauth2/par')
        .set(DPoP === undefined ? {} : { DPoP })
        .type('form')
        .send({ ...REQUEST, ...more });
    const codeFor = async (request_uri: string) => {
      const visitor = new Visitor(service.url);
      const page = await visitor.follow(await visitor.get('/oauth2/authorize', { client_id: 'app', request_uri }));
      const consent = await visitor.signIn(page);
      const answer = consent.status === 200 ? await visitor.submit(consent, { decision: 'allow' }) : consent;
      return answerOf(answer)['code']!;
    };

    it('binds the code to its key', async () => {
      const { body } = await push(await proof('/oauth2/par'));
      const code = await codeFor(body.request_uri);
      expectError(await redeem(service, code), MISSING);
      const proven = await service.token(
        {
          client_id: 'app',
          grant_type: 'authorization_code',
          code,
          redirect_uri: CALLBACK,
          code_verifier: VERIFIER,
        },
        { DPoP: await proof('/auth/v1/token') },
      );
      expect(proven.body.token_type).toBe('DPoP');
    });

    it('must be of the key that dpop_jkt names, and is not used up where it is not', async () => {
      const DPoP = await proof('/oauth2/par');
      expectError(await push(DPoP, { dpop_jkt: await calculateJwkThumbprint(other.jwk) }), {
        error: 'invalid_argument',
        word: 'invalid_request',
        reason: 'PARAMETER_INVALID',
        fields: [{ field: 'dpop_jkt', description: 'must be of the key that the DPoP proof is made with' }],
      });
      expect((await push(DPoP, { dpop_jkt: await calculateJwkThumbprint(key.jwk) })).status).toBe(201);
      expectError(await push(DPoP), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_REUSED' });
    });

    it('must be a proof', async () => {
      expectError(await push('x'), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_INVALID' });
    });
  });
});
