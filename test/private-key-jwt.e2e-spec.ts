import { randomUUID } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import request from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { JwksFetcher } from '../src/core/clients/jwks-fetcher.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { jwt, type KeyPair, keyPair } from './jwts.js';
import { migrator } from './databases.js';
import { missing, tooLong } from './fixtures.js';
import { expectError, ISSUER, type Service, startService } from './service.js';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const GRANTS = ['client_credentials', 'password', 'refresh_token'];

describe('private_key_jwt (RFC 7523, OpenID Connect Core §9)', () => {
  let service: Service;
  let key: KeyPair;
  let other: KeyPair;
  const keys: Record<string, KeyPair> = {};

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false } });
    key = await keyPair('ES256', 'k1');
    other = await keyPair('ES256', 'k1');
    const client = (id: string, jwk: JWK) =>
      service.client({ id, public: false, jwks: { keys: [jwk] }, grant_types: GRANTS });
    await client('signer', key.jwk);
    for (const alg of ['RS256', 'PS256', 'EdDSA', 'Ed25519']) {
      keys[alg] = await keyPair(alg);
      await client(alg, keys[alg].jwk);
    }
    await service.client({ id: 'backend', public: false });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const now = () => service.clock.now() / 1000;
  const claims = (more: object = {}) => ({
    iss: 'signer',
    sub: 'signer',
    aud: ISSUER,
    exp: now() + 60,
    iat: now(),
    jti: randomUUID(),
    ...more,
  });
  const sign = (more: object = {}, header: object = {}, by = key) => jwt(by, { kid: 'k1', ...header }, claims(more));
  const ask = (client_assertion: string | undefined, more: object = {}) =>
    service.token({ grant_type: 'client_credentials', client_assertion_type: TYPE, client_assertion, ...more });

  it('authenticates the client that the assertion is about; client_id may be left out (RFC 7521 §4.2)', async () => {
    const { status, body } = await ask(await sign());
    expect([status, body.sub, body.token_type]).toEqual([200, 'signer', 'Bearer']);
    expect((await ask(await sign(), { client_id: 'signer' })).status).toBe(200);
  });

  it.each([
    undefined,
    'JWT',
    'jwt',
    'application/jwt',
    'Application/JWT',
    'client-authentication+jwt',
    'Client-Authentication+JWT',
    'application/client-authentication+jwt',
  ])('takes a typ in any of its spellings (RFC 7515 §4.1.9): %s', async (typ) => {
    expect((await ask(await sign({}, { typ }))).status).toBe(200);
  });

  it.each(['at+jwt', 'application/at+jwt', 'text/jwt', 'application/', '', 'xjwt', 7, null, ['JWT']])(
    'refuses a JWT for something else (RFC 8725 §3.11): %j',
    async (typ) => {
      expectError(await ask(await sign({}, { typ })), {
        error: 'unauthorized_client',
        reason: 'CLIENT_ASSERTION_INVALID',
      });
    },
  );

  it.each(['RS256', 'PS256', 'EdDSA', 'Ed25519'])('takes %s', async (alg) => {
    const assertion = await jwt(keys[alg]!, { alg }, claims({ iss: alg, sub: alg }));
    expect((await ask(assertion)).status).toBe(200);
  });

  it.each([
    ['the token endpoint of discovery', `${ISSUER}/oauth2/token`],
    ['this very endpoint', `${ISSUER}/auth/v1/token`],
    ['the pushed request endpoint (RFC 9126 §2)', `${ISSUER}/oauth2/par`],
    ['several names of ours', [ISSUER, `${ISSUER}/oauth2/token`]],
  ])('takes as its audience %s', async (_, aud) => {
    expect((await ask(await sign({ aud }))).status).toBe(200);
  });

  it.each<[string, () => object, string]>([
    ['for another server', () => ({ aud: 'https://other.example.com' }), 'CLIENT_ASSERTION_AUDIENCE_WRONG'],
    ['for us and another server', () => ({ aud: [ISSUER, 'https://x.example'] }), 'CLIENT_ASSERTION_AUDIENCE_WRONG'],
    ['for nobody', () => ({ aud: [] }), 'CLIENT_ASSERTION_AUDIENCE_WRONG'],
    ['without aud', () => ({ aud: undefined }), 'CLIENT_ASSERTION_INVALID'],
    ['of another issuer', () => ({ iss: 'app' }), 'CLIENT_ASSERTION_INVALID'],
    ['without iss', () => ({ iss: undefined }), 'CLIENT_ASSERTION_INVALID'],
    ['without sub', () => ({ sub: undefined }), 'CLIENT_ASSERTION_INVALID'],
    ['whose sub is no string', () => ({ sub: 7 }), 'CLIENT_ASSERTION_INVALID'],
    ['without exp', () => ({ exp: undefined }), 'CLIENT_ASSERTION_INVALID'],
    ['whose exp is no number', () => ({ exp: 'tomorrow' }), 'CLIENT_ASSERTION_INVALID'],
    ['that has expired', () => ({ exp: now() - 31 }), 'CLIENT_ASSERTION_EXPIRED'],
    ['that lives for long', () => ({ exp: now() + 3600 }), 'CLIENT_ASSERTION_INVALID'],
    ['from the future', () => ({ iat: now() + 60 }), 'CLIENT_ASSERTION_INVALID'],
    ['whose iat is no number', () => ({ iat: 'now' }), 'CLIENT_ASSERTION_INVALID'],
    ['that is not valid yet', () => ({ nbf: now() + 60 }), 'CLIENT_ASSERTION_INVALID'],
    ['without jti', () => ({ jti: undefined }), 'CLIENT_ASSERTION_INVALID'],
    ['whose jti is no string', () => ({ jti: 1 }), 'CLIENT_ASSERTION_INVALID'],
    ['whose jti is endless', () => ({ jti: 'x'.repeat(257) }), 'CLIENT_ASSERTION_INVALID'],
    ['of an unknown client', () => ({ iss: 'nobody', sub: 'nobody' }), 'CLIENT_UNKNOWN'],
  ])('refuses an assertion %s', async (_, more, reason) => {
    expectError(await ask(await sign(more())), {
      error: reason === 'CLIENT_UNKNOWN' ? 'invalid_client' : 'unauthorized_client',
      reason,
    });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['signed by another key', () => sign({}, {}, other), 'CLIENT_ASSERTION_INVALID'],
    ['whose kid the client has not', () => sign({}, { kid: 'k2' }), 'CLIENT_ASSERTION_KEY_UNKNOWN'],
    ['of another typ (RFC 8725 §3.11)', () => sign({}, { typ: 'dpop+jwt' }), 'CLIENT_ASSERTION_INVALID'],
    ['with an unknown crit', () => sign({}, { crit: ['x'], x: 1 }), 'CLIENT_ASSERTION_INVALID'],
    ['with alg none', async () => `${encode({ alg: 'none' })}.${encode(claims())}.`, 'CLIENT_ASSERTION_INVALID'],
    [
      'with the public key as an HMAC secret',
      async () => jwt(Buffer.from(JSON.stringify(key.jwk)), { alg: 'HS256', kid: 'k1' }, claims()),
      'CLIENT_ASSERTION_INVALID',
    ],
    [
      'with the key in its own header',
      async () => jwt(other, { alg: 'ES256', jwk: other.jwk }, claims()),
      'CLIENT_ASSERTION_INVALID',
    ],
    [
      'whose alg is not the key’s',
      async () => jwt(keys['RS256']!, { alg: 'RS256', kid: 'k1' }, claims()),
      'CLIENT_ASSERTION_KEY_UNKNOWN',
    ],
    [
      'with an algorithm that nobody may use',
      async () => jwt(await keyPair('ES512'), { alg: 'ES512' }, claims()),
      'CLIENT_ASSERTION_INVALID',
    ],
    [
      'that was altered',
      async () => (await sign()).replace(/\.[^.]*\./, `.${encode(claims())}.`),
      'CLIENT_ASSERTION_INVALID',
    ],
    ['that is no JWT', async () => 'x.y.z', 'CLIENT_ASSERTION_INVALID'],
  ])('refuses an assertion %s', async (_, assertion, reason) => {
    expectError(await ask(await assertion()), { error: 'unauthorized_client', reason });
  });

  it('refuses a second use of an assertion, even at once', async () => {
    const assertion = await sign();
    const answers = await Promise.all([ask(assertion), ask(assertion), ask(assertion)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expectError(await ask(assertion), { error: 'unauthorized_client', reason: 'CLIENT_ASSERTION_REUSED' });
    expect(service.log).toContainEqual(
      expect.objectContaining({ event: 'client_authentication_failed', reason: 'CLIENT_ASSERTION_REUSED' }),
    );
  });

  it('forgets an assertion once it has expired', async () => {
    await ask(await sign());
    service.clock.advance(700);
    await service.app.get(Sweeper).sweep();
    expect(await service.sql('SELECT * FROM auth_used_jti')).toEqual([]);
  });

  it.each<[string, object, Parameters<typeof expectError>[1]]>([
    [
      'an unknown client_assertion_type',
      { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
      { error: 'unauthorized_client', reason: 'CLIENT_ASSERTION_TYPE_UNSUPPORTED' },
    ],
    ['no client_assertion_type', { client_assertion_type: undefined }, missing('client_assertion_type')],
    ['no client_assertion', { client_assertion: undefined }, missing('client_assertion')],
    ['an endless assertion', { client_assertion: 'x'.repeat(8193) }, tooLong('client_assertion', 8192)],
    [
      'a secret as well (RFC 6749 §2.3)',
      { client_secret: 'x' },
      { error: 'invalid_argument', reason: 'CLIENT_AUTHENTICATION_REPEATED' },
    ],
    ['another client_id', { client_id: 'app' }, { error: 'invalid_argument', reason: 'CLIENT_ID_MISMATCH' }],
  ])('refuses %s', async (_, more, expected) => {
    expectError(await ask(await sign(), more), expected);
  });

  it.each([
    ['a private_key_jwt client its client_id alone', { client_id: 'signer', client_assertion_type: undefined }],
    [
      'a private_key_jwt client a secret',
      { client_id: 'signer', client_secret: 'x', client_assertion_type: undefined },
    ],
  ])('refuses %s', async (_, more) => {
    expectError(await ask(undefined, more), {
      error: 'unauthorized_client',
      reason: 'CLIENT_AUTHENTICATION_METHOD_WRONG',
    });
  });

  it.each(['backend', 'app'])('refuses an assertion of %s, which has no keys', async (id) => {
    expectError(await ask(await sign({ iss: id, sub: id })), {
      error: 'unauthorized_client',
      reason: 'CLIENT_AUTHENTICATION_METHOD_WRONG',
    });
  });

  it('is called invalid_client under /oauth2 (RFC 7521 §4.2.1)', async () => {
    const { status, body } = await request(service.url)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', client_assertion_type: TYPE, client_assertion: 'x.y.z' });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  it('counts as proof of the same party in the retry window of a refresh', async () => {
    const tokens = await ask(await sign(), { grant_type: 'password', username: 'ada', password: 'correct horse' });
    const refresh = async () =>
      ask(await sign(), { grant_type: 'refresh_token', refresh_token: tokens.body.refresh_token });
    const once = await refresh();
    expect((await refresh()).body.refresh_token).toBe(once.body.refresh_token);
  });

  it('tries every key that fits where the assertion names none', async () => {
    const [a, b] = [await keyPair(), await keyPair()];
    await service.client({ id: 'two', public: false, jwks: { keys: [a.jwk, b.jwk] }, grant_types: GRANTS });
    const two = (by: KeyPair) => jwt(by, {}, claims({ iss: 'two', sub: 'two' }));
    expect((await ask(await two(b))).status).toBe(200);
    expectError(await ask(await two(other)), { error: 'unauthorized_client', reason: 'CLIENT_ASSERTION_INVALID' });
  });

  describe('with a jwks_uri', () => {
    let fetched: string[];
    let published: () => Promise<unknown>;

    beforeAll(async () => {
      await service.client({ id: 'publisher', public: false, jwks_uri: 'https://p.example/keys', grant_types: GRANTS });
      service.app.get(JwksFetcher).fetch = (uri) => (fetched.push(uri), published());
    });
    beforeEach(() => {
      fetched = [];
      published = async () => ({ keys: [key.jwk, { kty: 'oct-like-nothing', kid: 'x' }] });
      service.clock.advance(7200); // whatever was fetched is over
    });
    const publisher = async (by = key, kid = 'k1') =>
      ask(await sign({ iss: 'publisher', sub: 'publisher' }, { kid }, by));

    it('fetches its keys once for many requests at once, and again after five minutes', async () => {
      const all = await Promise.all([publisher(), publisher(), publisher()]);
      expect(all.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(fetched).toEqual(['https://p.example/keys']);
      service.clock.advance(300);
      expect((await publisher()).status).toBe(200);
      expect(fetched).toHaveLength(2);
    });

    it('looks for an unknown kid once more, but not more often than every 30 seconds', async () => {
      await publisher();
      const next = await keyPair('ES256', 'k2');
      published = async () => ({ keys: [next.jwk] });
      expectError(await publisher(next, 'k2'), {
        error: 'unauthorized_client',
        reason: 'CLIENT_ASSERTION_KEY_UNKNOWN',
      });
      expect(fetched).toHaveLength(1);
      service.clock.advance(30);
      expect((await publisher(next, 'k2')).status).toBe(200);
      expect((await publisher(next, 'k3')).status).toBe(401);
      expect(fetched).toHaveLength(2);
    });

    it('is not there for a while where nothing could be fetched, and asks at most every 30 seconds', async () => {
      published = () => Promise.reject(new Error('gone'));
      for (const answer of [await publisher(), await publisher()]) {
        expectError(answer, { error: 'unavailable', reason: 'CLIENT_KEYS_UNAVAILABLE', retryAfter: 30 });
      }
      expect(fetched).toHaveLength(1);
    });

    it('goes on with the keys that it had for an hour', async () => {
      await publisher();
      published = () => Promise.reject(new Error('gone'));
      service.clock.advance(3600);
      expect((await publisher()).status).toBe(200);
      service.clock.advance(31);
      expect((await publisher()).status).toBe(503);
    });

    it.each<[string, () => Promise<unknown>]>([
      ['a private key', async () => ({ keys: [await exportJWK(key.privateKey)] })],
      ['no JWKS', async () => 'hello'],
      ['no key', async () => ({ keys: [] })],
      ['hundreds of keys', async () => ({ keys: Array(100).fill(key.jwk) })],
    ])('takes no keys from an answer with %s', async (_, answer) => {
      published = answer;
      expect((await publisher()).status).toBe(503);
    });
  });

  it('leaves clients from before as they were: public ones without a method, the others with their secret', async () => {
    const database = await migrator(service.databaseUrl);
    const methods = () =>
      database.query(
        "SELECT id, token_endpoint_auth_method AS m FROM auth_client WHERE id IN ('app', 'backend') ORDER BY id",
      );
    const runner = database.createQueryRunner();
    while (await runner.hasColumn('auth_client', 'token_endpoint_auth_method')) await database.undoLastMigration();
    await runner.release();
    await database.runMigrations();
    expect(await methods()).toEqual([
      { id: 'app', m: 'none' },
      { id: 'backend', m: 'client_secret' },
    ]);
    await database.destroy();
  });

  describe('registration refuses', () => {
    it.each<[string, () => Promise<object>, string]>([
      ['a private key', async () => ({ jwks: { keys: [await exportJWK(key.privateKey)] } }), 'private or symmetric'],
      ['a symmetric key', async () => ({ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }), 'private or symmetric'],
      ['no key', async () => ({ jwks: { keys: [] } }), '1 to 20 keys'],
      ['an unreadable key', async () => ({ jwks: { keys: [{ kty: 'EC', crv: 'P-256' }] } }), 'cannot be read'],
      ['another curve', async () => ({ jwks: { keys: [(await keyPair('ES384')).jwk] } }), 'other than P-256'],
      ['http', async () => ({ jwks_uri: 'http://p.example/keys' }), 'https URL'],
      ['credentials in the URL', async () => ({ jwks_uri: 'https://a:b@p.example/keys' }), 'https URL'],
      ['both', async () => ({ jwks: { keys: [key.jwk] }, jwks_uri: 'https://p.example/keys' }), 'either jwks or'],
      ['neither', async () => ({ token_endpoint_auth_method: 'private_key_jwt' }), 'either jwks or'],
      [
        'keys beside a secret',
        async () => ({ jwks: { keys: [key.jwk] }, token_endpoint_auth_method: 'client_secret' }),
        'is for clients',
      ],
      ['keys of a public client', async () => ({ jwks: { keys: [key.jwk] }, public: true }), 'is for clients'],
      [
        'a public client with a secret',
        async () => ({ public: true, token_endpoint_auth_method: 'client_secret' }),
        'must be none',
      ],
    ])('%s', async (_, values, problem) => {
      const clients = service.app.get(ClientService);
      await expect(clients.create({ id: 'wrong', ...(await values()) })).rejects.toThrow(problem);
    });
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
