import { decodeJwt, type JWK, calculateJwkThumbprint, exportJWK } from 'jose';
import sqlite3 from 'sqlite3';
import request, { type Response } from 'supertest';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { RefreshTokens } from '../src/core/sessions/refresh-token.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { dpopProof, jwt, type KeyPair, keyPair } from './jwts.js';
import { expectError, ISSUER, type Service, startService } from './service.js';
import { itOnSqlite } from './databases.js';

const HTU = `${ISSUER}/auth/v1/token`;
const CALLBACK = 'https://app.example.com/callback';
const MISMATCH = { error: 'invalid_grant', reason: 'DPOP_KEY_MISMATCH' } as const;
const MISSING = { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_MISSING' } as const;

describe('DPoP at the token endpoint (RFC 9449)', () => {
  let service: Service;
  let key: KeyPair;
  let other: KeyPair;
  let jkt: string;
  let backend: { client_id: string; client_secret?: string };

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app' });
    backend = await service.client({ id: 'backend', public: false });
    await service.user('ada', 'correct horse');
    [key, other] = [await keyPair(), await keyPair()];
    jkt = await calculateJwkThumbprint(key.jwk);
  });
  afterAll(() => service.close());

  const proof = (more: Parameters<typeof dpopProof>[3] = {}, by = key) => dpopProof(by, service.clock.now(), HTU, more);
  const signIn = (DPoP: string | string[], client: object = { client_id: 'app' }): Promise<Response> =>
    service.token({ ...client, grant_type: 'password', username: 'ada', password: 'correct horse' }, { DPoP } as Record<
      string,
      string
    >);
  const refresh = (refresh_token: string, DPoP?: string, more: object = {}) =>
    service.token(
      { client_id: 'app', grant_type: 'refresh_token', refresh_token, ...more },
      DPoP === undefined ? {} : { DPoP },
    );
  const session = async (refreshToken: string) => {
    const id = service.app.get(RefreshTokens).read(refreshToken)!.sessionId;
    const [row] = await service.sql('SELECT * FROM auth_session WHERE id = ?', [id]);
    return row as Record<string, unknown>;
  };

  it('answers a good proof with a token that is bound to its key (§5, §6.1)', async () => {
    const { status, body } = await signIn(await proof());
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
    expect(decodeJwt(body.access_token)).toMatchObject({ cnf: { jkt } });
    expect(await session(body.refresh_token)).toMatchObject({ dpop_jkt: jkt });
  });

  it('answers a request without a proof with a Bearer token', async () => {
    const { body } = await service.token({
      client_id: 'app',
      grant_type: 'password',
      username: 'ada',
      password: 'correct horse',
    });
    expect(body.token_type).toBe('Bearer');
    expect(decodeJwt(body.access_token)).not.toHaveProperty('cnf');
    expect(await session(body.refresh_token)).toMatchObject({ dpop_jkt: null });
  });

  it.each(['RS256', 'PS256', 'EdDSA', 'Ed25519'])('takes %s', async (alg) => {
    expect((await signIn(await proof({ header: { alg } }, await keyPair(alg)))).status).toBe(200);
  });

  it.each([
    ['with query and fragment (§4.3, 9)', `${HTU}?x=1#y`],
    ['in another spelling (RFC 3986 §6.2)', 'HTTPS://AUTH.example.com:443/auth/v1/./token'],
  ])('takes an htu %s', async (_, htu) => {
    expect((await signIn(await proof({ htu }))).status).toBe(200);
  });

  it('takes a proof from a clock that is five minutes off', async () => {
    const now = service.clock.now() / 1000;
    expect((await signIn(await proof({ iat: now - 300 }))).status).toBe(200);
    expect((await signIn(await proof({ iat: now + 300 }))).status).toBe(200);
  });

  it.each(['iat', 'nbf', 'exp'])(
    'allows the clock behind %s the same five minutes (RFC 7519 §4.1.4, §4.1.5)',
    async (claim) => {
      const now = service.clock.now() / 1000;
      const off = claim === 'exp' ? -299 : 300;
      expect((await signIn(await proof({ [claim]: now + off }))).status).toBe(200);
    },
  );

  it.each(['dpop+jwt', 'DPoP+JWT', 'application/dpop+jwt', 'Application/DPoP+jwt'])(
    'takes a typ in any of its spellings (RFC 7515 §4.1.9): %s',
    async (typ) => {
      expect((await signIn(await proof({ header: { typ } }))).status).toBe(200);
    },
  );

  it.each<[string, () => Promise<string>, string]>([
    ['that is empty', async () => '', 'INVALID'],
    ['that is no JWT', async () => 'x.y.z', 'INVALID'],
    ['that is two (1)', async () => `${await proof()}, ${await proof()}`, 'INVALID'],
    ['that is endless', () => proof({ x: 'x'.repeat(4096) }), 'INVALID'],
    ['without jti (3)', () => proof({ jti: undefined }), 'INVALID'],
    ['whose jti is no string (3)', () => proof({ jti: 7 }), 'INVALID'],
    ['whose jti is endless (3)', () => proof({ jti: 'x'.repeat(257) }), 'INVALID'],
    ['without htm (3)', () => proof({ htm: undefined }), 'MISMATCH'],
    ['without htu (3)', () => proof({ htu: undefined }), 'MISMATCH'],
    ['without iat (3)', () => proof({ iat: undefined }), 'INVALID'],
    ['of another typ (4)', () => proof({ header: { typ: 'JWT' } }), 'INVALID'],
    ['without typ (4)', () => proof({ header: { typ: undefined } }), 'INVALID'],
    [
      'with alg none (5)',
      async () => `${encode({ typ: 'dpop+jwt', alg: 'none', jwk: key.jwk })}.${(await proof()).split('.')[1]}.`,
      'INVALID',
    ],
    [
      'with a symmetric key (5)',
      () =>
        jwt(
          Buffer.alloc(32, 1),
          { typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url') } as JWK },
          { jti: '1', htm: 'POST', htu: HTU, iat: service.clock.now() / 1000 },
        ),
      'INVALID',
    ],
    [
      'with an algorithm that nobody may use (5)',
      async () => proof({ header: { alg: 'ES512' } }, await keyPair('ES512')),
      'INVALID',
    ],
    ['without jwk', () => proof({ header: { jwk: undefined } }), 'INVALID'],
    ['whose jwk is no object', () => proof({ header: { jwk: 'x' as JWK } }), 'INVALID'],
    [
      'whose jwk is of another type than its alg',
      async () => proof({ header: { jwk: (await keyPair('RS256')).jwk } }),
      'INVALID',
    ],
    ['signed by another key than its jwk (6)', () => proof({ header: { jwk: other.jwk } }), 'INVALID'],
    ['that was altered (6)', async () => `${(await proof()).slice(0, -4)}AAAA`, 'INVALID'],
    [
      'with a private key in it (7)',
      async () => proof({ header: { jwk: await exportJWK(key.privateKey) } }),
      'INVALID',
    ],
    ['for another method (8)', () => proof({ htm: 'GET' }), 'MISMATCH'],
    ['for a method in small letters (8)', () => proof({ htm: 'post' }), 'MISMATCH'],
    ['for another path (9)', () => proof({ htu: `${ISSUER}/oauth2/token` }), 'MISMATCH'],
    ['for another host (9)', () => proof({ htu: 'https://other.example.com/auth/v1/token' }), 'MISMATCH'],
    ['for http (9)', () => proof({ htu: 'http://auth.example.com/auth/v1/token' }), 'MISMATCH'],
    ['for a user (9)', () => proof({ htu: 'https://me@auth.example.com/auth/v1/token' }), 'MISMATCH'],
    ['for no URL (9)', () => proof({ htu: '/auth/v1/token' }), 'MISMATCH'],
    ['that is old (11)', () => proof({ iat: service.clock.now() / 1000 - 301 }), 'EXPIRED'],
    ['from the future (11)', () => proof({ iat: service.clock.now() / 1000 + 301 }), 'EXPIRED'],
    ['whose iat is no number (11)', () => proof({ iat: 'now' }), 'INVALID'],
    ['that has expired by its own exp', () => proof({ exp: service.clock.now() / 1000 - 301 }), 'EXPIRED'],
    ['that is from the future by its own nbf', () => proof({ nbf: service.clock.now() / 1000 + 301 }), 'EXPIRED'],
    ['whose nbf is no number', () => proof({ nbf: 'now' }), 'INVALID'],
    ['whose exp is no number', () => proof({ exp: 'now' }), 'INVALID'],
    ['of a type that only ends like its own (4)', () => proof({ header: { typ: 'text/dpop+jwt' } }), 'INVALID'],
  ])('refuses a proof %s', async (_, sent, reason) => {
    expectError(await signIn(await sent()), { error: 'invalid_dpop_proof', reason: `DPOP_PROOF_${reason}` });
  });

  it('refuses two DPoP headers (1)', async () => {
    expectError(await signIn([await proof(), await proof()]), {
      error: 'invalid_dpop_proof',
      reason: 'DPOP_PROOF_INVALID',
    });
  });

  it('is not misled by the Host header', async () => {
    const htu = 'https://evil.example.com/auth/v1/token';
    const answer = await request(service.url)
      .post('/auth/v1/token')
      .set({ Host: 'evil.example.com', DPoP: await proof({ htu }) })
      .send({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' });
    expectError(answer, { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_MISMATCH' });
  });

  it('refuses a second use of a proof, even at once (§11.1), and forgets it once it is too old', async () => {
    const once = await proof();
    const answers = await Promise.all([signIn(once), signIn(once), signIn(once)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expectError(await signIn(once), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_REUSED' });
    service.clock.advance(300);
    await service.app.get(Sweeper).sweep();
    expectError(await signIn(once), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_REUSED' });
    service.clock.advance(600);
    await service.app.get(Sweeper).sweep();
    expect(await service.sql('SELECT * FROM auth_used_jti')).toEqual([]);
    expectError(await signIn(once), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_EXPIRED' });
  });

  it('lets two keys use one jti', async () => {
    expect((await signIn(await proof({ jti: 'one' }))).status).toBe(200);
    expect((await signIn(await proof({ jti: 'one' }, other))).status).toBe(200);
  });

  it('keeps the words of RFC 9449 §5 under /oauth2', async () => {
    const ask = (DPoP: string) =>
      request(service.url)
        .post('/oauth2/token')
        .set({ DPoP })
        .type('form')
        .send({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' });
    const wrong = await ask('x');
    expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_dpop_proof']);
    const right = await ask(await proof({ htu: `${ISSUER}/oauth2/token` }));
    expect([right.status, right.body.token_type]).toEqual([200, 'DPoP']);
  });

  describe('a bound refresh token of a public client (§5)', () => {
    it('moves on with a proof of its key', async () => {
      const first = await signIn(await proof());
      const { status, body } = await refresh(first.body.refresh_token, await proof());
      expect([status, body.token_type]).toEqual([200, 'DPoP']);
      expect(decodeJwt(body.access_token)).toMatchObject({ cnf: { jkt } });
      expect((await refresh(body.refresh_token, await proof())).status).toBe(200);
    });

    it('is refused without a proof or with another key, and neither is used up nor ends the session', async () => {
      const token = (await signIn(await proof())).body.refresh_token as string;
      expectError(await refresh(token), MISSING);
      expectError(await refresh(token, await proof({}, other)), MISMATCH);
      expect(await session(token)).toMatchObject({ generation: 0, rotated_at: null, revoked_at: null });
      expect((await refresh(token, await proof())).status).toBe(200);
    });

    it('cannot be used by a thief who lets an old one look like a replay', async () => {
      const first = (await signIn(await proof())).body.refresh_token as string;
      const second = (await refresh(first, await proof())).body.refresh_token as string;
      service.clock.advance(3600);
      expectError(await refresh(first), MISSING);
      expectError(await refresh(first, await proof({}, other)), MISMATCH);
      expect((await refresh(second, await proof())).status).toBe(200);
    });

    it('gets the same successor again in the retry window: the key is the proof of the same party', async () => {
      const first = (await signIn(await proof())).body.refresh_token as string;
      const once = await refresh(first, await proof());
      service.clock.advance(10);
      const again = await refresh(first, await proof());
      expect([again.status, again.body.refresh_token]).toEqual([200, once.body.refresh_token]);
    });

    it('is theft where its own key presents it after the window', async () => {
      const first = (await signIn(await proof())).body.refresh_token as string;
      await refresh(first, await proof());
      service.clock.advance(11);
      expectError(await refresh(first, await proof()), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
    });

    it('has one successor, however many ask at once, with the key and without', async () => {
      const first = (await signIn(await proof())).body.refresh_token as string;
      const answers = await Promise.all([
        refresh(first, await proof()),
        refresh(first),
        refresh(first, await proof({}, other)),
        refresh(first, await proof()),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 200]);
      expect(answers[3].body.refresh_token).toBe(answers[0].body.refresh_token);
    });
  });

  it('binds the access tokens of a confidential client, but not its refresh tokens (§5)', async () => {
    const first = await signIn(await proof(), backend);
    expect(first.body.token_type).toBe('DPoP');
    const { body } = await refresh(first.body.refresh_token, await proof({}, other), backend);
    expect(decodeJwt(body.access_token)).toMatchObject({ cnf: { jkt: await calculateJwkThumbprint(other.jwk) } });
    expect((await refresh(body.refresh_token, undefined, backend)).body.token_type).toBe('Bearer');
  });

  it('binds an access token of a session that was opened without a key, and leaves its refresh token as it is', async () => {
    const { body } = await service.token({
      client_id: 'app',
      grant_type: 'password',
      username: 'ada',
      password: 'correct horse',
    });
    const bound = await refresh(body.refresh_token, await proof());
    expect(bound.body.token_type).toBe('DPoP');
    expect((await refresh(bound.body.refresh_token)).body.token_type).toBe('Bearer');
  });

  it('binds the tokens of client_credentials', async () => {
    const { body } = await service.token({ ...backend, grant_type: 'client_credentials' }, { DPoP: await proof() });
    expect(body.token_type).toBe('DPoP');
    expect(decodeJwt(body.access_token)).toMatchObject({ cnf: { jkt } });
  });

  describe('an authorization code with dpop_jkt (§10)', () => {
    const issue = (dpopJkt?: string) =>
      service.app
        .get(AuthorizationCodeService)
        .issue({ clientId: 'backend', sub: 'ada', redirectUri: CALLBACK, dpopJkt });
    const redeem = (code: string, DPoP?: string) =>
      service.token(
        { ...backend, grant_type: 'authorization_code', code, redirect_uri: CALLBACK },
        DPoP === undefined ? {} : { DPoP },
      );

    it('needs a proof of that key, and is not used up without', async () => {
      const sub = await service.user('eve', 'correct horse');
      const code = await service.app
        .get(AuthorizationCodeService)
        .issue({ clientId: 'backend', sub, redirectUri: CALLBACK, dpopJkt: jkt });
      expectError(await redeem(code), MISSING);
      expectError(await redeem(code, await proof({}, other)), MISMATCH);
      expect((await redeem(code, await proof())).body.token_type).toBe('DPoP');
    });

    it('must be the thumbprint of a key', async () => {
      await expect(issue('x')).rejects.toMatchObject({ code: 'invalid_argument', reason: 'PARAMETER_INVALID' });
    });
  });

  itOnSqlite('costs a refresh without proof and binding not one query more', async () => {
    const password = { grant_type: 'password', username: 'ada', password: 'correct horse' };
    const { body } = await service.token({ client_id: 'app', ...password });
    const first = await refresh(body.refresh_token); // client and user are cached now
    const query = jest.spyOn(sqlite3.Database.prototype, 'all');
    const prepared = jest.spyOn(sqlite3.Statement.prototype, 'all');
    expect((await refresh(first.body.refresh_token)).status).toBe(200);
    expect([query.mock.calls.length, prepared.mock.calls.length]).toEqual([0, 1]);
    query.mockRestore();
    prepared.mockRestore();
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
