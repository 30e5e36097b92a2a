import { monitorEventLoopDelay } from 'node:perf_hooks';
import request from 'supertest';
import { numbers } from '../databases.js';
import { SessionService } from '../../src/core/sessions/session.service.js';
import { missing, tooLong } from '../fixtures.js';
import { expectError, type Service, startService } from '../service.js';
import { FIRST_PARTY_GRANTS } from './sdk.js';

const DEAD = {
  error: 'unauthenticated',
  reason: 'ACCESS_TOKEN_INVALID',
  message: 'The access token is not correct or has expired.',
} as const;

/** Every route of a signed-in user. */
const BEARER_ROUTES = [
  ['get', '/user/me'],
  ['delete', '/user/revoke/all'],
  ['delete', '/user/authorized/devices/some-device'],
  ['post', '/user/device/authorize'],
  ['post', '/user/authorize'],
  ['post', '/user/sudo'],
  ['patch', '/user/password'],
  ['patch', '/user/profile'],
  ['patch', '/user/contact'],
  ['post', '/user/basic/edit'],
] as const;

describe('sessions at the edge of CloudBase’s API', () => {
  let service: Service;
  let secret: string;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false, limitIp: false, maxDevices: 2 } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    await service.client({ id: 'other', grant_types: FIRST_PARTY_GRANTS });
    const backend = { id: 'backend', public: false, grant_types: ['client_credentials'], default_scope: ['profile'] };
    secret = (await service.client(backend)).client_secret!;
    await service.client({ id: 'third-party', grant_types: ['authorization_code', 'refresh_token'] });
    sub = await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const api = (method: 'get' | 'post' | 'patch' | 'delete', path: string, token?: string) => {
    const sent = request(service.url)[method](`/auth/v1${path}`);
    return token === undefined ? sent : sent.set('Authorization', `Bearer ${token}`);
  };
  const signIn = async (client_id = 'app', device?: string) => {
    const { body } = await api('post', `/signin?client_id=${client_id}`)
      .set(device === undefined ? {} : { 'x-device-id': device })
      .send({ username: 'ada', password: 'correct horse' });
    return body as { access_token: string; refresh_token: string };
  };
  const thirdParty = async () => {
    const { AuthorizationCodeService } = await import('../../src/core/codes/authorization-code.service.js');
    const redirect_uri = 'https://app.example.com/callback';
    const code = await service.app.get(AuthorizationCodeService).issue({
      clientId: 'third-party',
      sub,
      redirectUri: redirect_uri,
      codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', // RFC 7636 appendix B
    });
    const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
    const grant = { client_id: 'third-party', grant_type: 'authorization_code', code, redirect_uri, code_verifier };
    return (await service.token(grant)).body as { access_token: string };
  };
  const isAlive = async ({ access_token }: { access_token: string }) =>
    (await api('get', '/user/me', access_token)).status === 200;

  describe.each(BEARER_ROUTES)('%s %s', (method, path) => {
    it('wants an access token (RFC 6750 §3)', async () => {
      const response = await api(method, path).send(method === 'get' || method === 'delete' ? undefined : {});
      expectError(response, DEAD);
      expect(response.headers['www-authenticate']).toBe(
        'Bearer realm="auth", DPoP realm="auth", algs="ES256 RS256 PS256 EdDSA Ed25519"',
      );
    });

    it.each([
      ['forged', async () => (await signIn()).access_token.slice(0, -4) + 'AAAA'],
      ['expired', async () => (await signIn()).access_token],
      ['of a session that has ended', async () => (await signIn()).access_token],
      ['no JWT at all', async () => 'nonsense'],
    ])('refuses one that is %s', async (why, tokenOf) => {
      const token = await tokenOf();
      if (why === 'expired') service.clock.advance(7201);
      if (why.startsWith('of a session')) await service.app.get(SessionService).revokeAll({ sub });
      const response = await api(method, path, token).send(method === 'get' || method === 'delete' ? undefined : {});
      expectError(response, DEAD);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="auth", error="invalid_token"');
    });
  });

  it.each(BEARER_ROUTES.filter(([, path]) => path !== '/user/me'))(
    'a client that was consented to may not %s %s',
    async (method, path) => {
      const { access_token } = await thirdParty();
      const response = await api(method, path, access_token).send(method === 'delete' ? undefined : {});
      expectError(response, { error: 'permission_denied', reason: 'ACCOUNT_ACCESS_MISSING' });
      expect(await isAlive({ access_token })).toBe(true);
    },
  );

  it('an access token of a client itself is no user', async () => {
    const { body } = await api('post', '/token/clientCredential').auth('backend', secret).send({});
    expectError(await api('get', '/user/me', body.access_token as string), DEAD);
    const all = await api('delete', '/user/revoke/all', body.access_token as string);
    expectError(all, { error: 'permission_denied', reason: 'ACCOUNT_ACCESS_MISSING' });
  });

  describe('POST /revoke (RFC 7009)', () => {
    it.each(['access_token', 'refresh_token'] as const)('ends the session of an %s in the body', async (which) => {
      const tokens = await signIn();
      const response = await api('post', '/revoke?client_id=app').send({ token: tokens[which] });
      expect([response.status, response.body]).toEqual([200, {}]);
      expect(await isAlive(tokens)).toBe(false);
      expectError(await service.token({ client_id: 'app', grant_type: 'refresh_token', ...tokens }), {
        error: 'invalid_grant',
        reason: 'SIGNED_OUT',
      });
    });

    it('ends the session of the Bearer where the body names none, or there is no body', async () => {
      for (const body of [{}, undefined]) {
        const tokens = await signIn();
        const response = await api('post', '/revoke', tokens.access_token).send(body);
        expect([response.status, response.body]).toEqual([200, {}]);
        expect(await isAlive(tokens)).toBe(false);
      }
    });

    it('says the same of a token that is unknown, and of one that is revoked (RFC 7009 §2.2)', async () => {
      const tokens = await signIn();
      for (const token of ['unknown', 'm.unknown', tokens.access_token, tokens.access_token]) {
        const response = await api('post', '/revoke?client_id=app').send({ token });
        expect([response.status, response.body]).toEqual([200, {}]);
      }
    });

    it.each(['access_token', 'refresh_token'] as const)('leaves an %s of another client alone', async (which) => {
      const tokens = await signIn();
      const response = await api('post', '/revoke?client_id=other').send({ token: tokens[which] });
      expect([response.status, response.body]).toEqual([200, {}]);
      expect(await isAlive(tokens)).toBe(true);
    });

    it('wants a token, and a client', async () => {
      expectError(await api('post', '/revoke?client_id=app').send({}), missing('token'));
      expectError(await api('post', '/revoke').send({ token: 'x' }), {
        error: 'invalid_argument',
        reason: 'CLIENT_ID_MISSING',
        fields: [{ field: 'client_id', description: 'is required' }],
      });
      expectError(await api('post', '/revoke?client_id=app').send({ token: 'x'.repeat(8193) }), tooLong('token', 8192));
      expectError(await api('post', '/revoke?client_id=backend').send({ token: 'x' }), {
        error: 'unauthorized_client',
        reason: 'CLIENT_SECRET_MISSING',
      });
    });
  });

  describe('POST /user/signout', () => {
    it('ends the session by a token that has expired, as often as it is asked', async () => {
      const tokens = await signIn();
      service.clock.advance(7201);
      for (let i = 0; i < 2; i++) {
        const response = await api('post', '/user/signout', tokens.access_token).send({});
        expect([response.status, response.body]).toEqual([200, {}]);
      }
      expectError(await service.token({ client_id: 'app', grant_type: 'refresh_token', ...tokens }), {
        error: 'invalid_grant',
        reason: 'SIGNED_OUT',
      });
    });

    it.each([
      ['no token', undefined],
      ['a forged one', 'a.b.c'],
    ])('refuses %s', async (_, token) => {
      expectError(await api('post', '/user/signout', token).send({}), DEAD);
    });
  });

  describe('GET /token/introspect (RFC 7662)', () => {
    it('says of the Bearer what it is', async () => {
      const { access_token } = await signIn();
      const { body } = await api('get', '/token/introspect', access_token);
      const iat = service.clock.now() / 1000;
      expect(body).toEqual({
        active: true,
        token_type: 'Bearer',
        iss: 'https://auth.example.com',
        sub,
        aud: 'https://auth.example.com',
        exp: iat + 7200,
        iat,
        jti: expect.any(String),
        client_id: 'app',
        scope: 'openid profile',
        groups: [],
        auth_time: iat,
        sid: expect.any(String),
        account: true,
      });
    });

    it('says it of any token to a confidential client', async () => {
      const { access_token } = await signIn();
      const { body } = await api('get', `/token/introspect?token=${access_token}`).auth('backend', secret);
      expect(body).toMatchObject({ active: true, sub, client_id: 'app' });
    });

    it.each(['expired', 'revoked', 'forged'])('says of a token that is %s that it is not active', async (why) => {
      let { access_token: token } = await signIn();
      if (why === 'expired') service.clock.advance(7201);
      if (why === 'revoked') await service.app.get(SessionService).revokeAll({ sub });
      if (why === 'forged') token = 'a.b.c';
      for (const asked of [
        api('get', '/token/introspect', token),
        api('get', `/token/introspect?token=${token}`).auth('backend', secret),
      ]) {
        const response = await asked;
        expect([response.status, response.body]).toEqual([200, { active: false }]);
      }
    });

    it('tells a public client nothing', async () => {
      const { access_token } = await signIn();
      expectError(await api('get', `/token/introspect?client_id=app&token=${access_token}`), {
        error: 'permission_denied',
        reason: 'CLIENT_PUBLIC',
      });
    });

    it('wants a token', async () => {
      expectError(await api('get', '/token/introspect').auth('backend', secret), missing('token'));
    });
  });

  describe('POST /token/clientCredential', () => {
    it('is the client_credentials grant', async () => {
      const { body } = await api('post', '/token/clientCredential')
        .auth('backend', secret)
        .send({ grant_type: 'client_credentials' });
      expect(body).toMatchObject({ token_type: 'Bearer', sub: 'backend', scope: 'profile' });
      expect(body).not.toHaveProperty('refresh_token');
    });

    it('is no other grant', async () => {
      const response = await api('post', '/token/clientCredential').send({ client_id: 'app', grant_type: 'password' });
      expectError(response, { error: 'unsupported_grant_type', reason: 'GRANT_TYPE_UNSUPPORTED' });
    });

    it.each([
      ['a wrong secret', 'wrong', 'unauthorized_client', 'CLIENT_SECRET_WRONG'],
      ['no secret', '', 'unauthorized_client', 'CLIENT_SECRET_MISSING'],
    ] as const)('refuses %s', async (_, password, error, reason) => {
      const response = await api('post', '/token/clientCredential').auth('backend', password).send({});
      expectError(response, { error, reason });
    });
  });

  describe('devices', () => {
    it('are two at most here: the third sign-in ends the sessions of the oldest', async () => {
      const sessions = [];
      for (const device of ['one', 'two', 'three']) {
        service.clock.advance(1);
        sessions.push(await signIn('app', device));
      }
      const nameless = await signIn();
      expect(await Promise.all([...sessions, nameless].map(isAlive))).toEqual([false, true, true, true]);
      service.clock.advance(1);
      const again = await signIn('other', 'two'); // no new device
      expect(await Promise.all([...sessions.slice(1), again].map(isAlive))).toEqual([true, true, true]);
    });

    it('are counted by the database: 36,000 sessions of one user hold nobody else up', async () => {
      const many = (count: number, device: string) =>
        service.sql(`
          INSERT INTO auth_session (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at, device_id)
          ${numbers(count)}
          SELECT CONCAT('s-', ${device}, '-', i), '${sub}', 'app', '', 0, 1, i, ${service.clock.now() + 60_000}, ${device} FROM n`);
      await many(18_000, `'kept'`);
      await many(18_000, `CONCAT('device-', i)`);
      service.clock.advance(1);
      const kept = await signIn('app', 'kept');
      await signIn('app', 'new');
      const devices = await service.sql<{ device_id: string; n: number }>(
        `SELECT device_id, count(*) AS n FROM auth_session
         WHERE sub = '${sub}' AND device_id IS NOT NULL AND revoked_at IS NULL GROUP BY device_id ORDER BY device_id`,
      );
      expect(devices).toEqual([
        { device_id: 'kept', n: 18_001 },
        { device_id: 'new', n: 1 },
      ]);
      const stalls: number[] = [];
      for (let i = 0; i < 5; i++) {
        const delay = monitorEventLoopDelay({ resolution: 1 });
        delay.enable();
        expect(await isAlive(await signIn('app', 'kept'))).toBe(true);
        delay.disable();
        stalls.push(delay.max / 1e6);
      }
      expect(Math.min(...stalls)).toBeLessThan(60);
      expect(await isAlive(kept)).toBe(true);
      await service.app.get(SessionService).revokeAll({ sub });
    }, 60_000);

    it('end one by one, whatever they are called', async () => {
      const odd = await signIn('app', 'a/b c%');
      const other = await signIn('app', 'plain');
      const path = `/user/authorized/devices/${encodeURIComponent('a/b c%')}`;
      const response = await api('delete', path, other.access_token);
      expect([response.status, response.body]).toEqual([200, {}]);
      expect([await isAlive(odd), await isAlive(other)]).toEqual([false, true]);
    });

    it('of other users stay', async () => {
      await service.user('eve', 'correct horse');
      const mine = await signIn('app', 'shared');
      const { body: eve } = await api('post', '/signin?client_id=app').send({
        username: 'eve',
        password: 'correct horse',
      });
      await api('delete', '/user/authorized/devices/shared', eve.access_token as string);
      expect(await isAlive(mine)).toBe(true);
    });
  });
});
