import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  type AccessToken,
  AccessTokenGuard,
  AuthModule,
  BearerToken,
  ClientService,
  Clock,
  RequireLiveSession,
  RequireScopes,
  SessionService,
  UserService,
} from '../src/index.js';
import { dpopProof, hashOf, type KeyPair, keyPair } from './jwts.js';
import { FakeClock, SECRET } from './service.js';

@Controller('things')
@UseGuards(AccessTokenGuard)
class ThingsController {
  @Get()
  @RequireLiveSession()
  things(@BearerToken() token: AccessToken) {
    return { sub: token.sub };
  }

  @Get('secret')
  @RequireScopes('admin')
  secret() {
    return {};
  }
}

/** The issuer has a path that a proxy takes away, and the host's routes are called by another name. */
const ISSUER = 'https://app.example.com/auth';
const API = 'https://api.example.com';

describe('DPoP at a protected resource of a host application (RFC 9449 §7)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'host-'));
  const clock = new FakeClock();
  let app: INestApplication;
  let key: KeyPair;
  let other: KeyPair;
  let bound: string;
  let bearer: string;
  let sub: string;

  beforeAll(async () => {
    const databaseUrl = `sqlite:${join(dir, 'host.sqlite')}`;
    const auth = AuthModule.forRoot({ issuer: ISSUER, audience: API, secret: SECRET, databaseUrl });
    @Module({ imports: [auth], controllers: [ThingsController] })
    class HostModule {}
    const module = await Test.createTestingModule({ imports: [HostModule] })
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    app = await module.createNestApplication({ bodyParser: false }).init();
    [key, other] = [await keyPair(), await keyPair()];
    await app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password'], scopes: ['profile'] });
    sub = (await app.get(UserService).create({ username: 'ada', password: 'correct horse' })).id;
    const signIn = async (headers: Record<string, string>) => {
      const body = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
      const answer = await request(app.getHttpServer()).post('/oauth2/token').set(headers).send(body);
      return answer.body.access_token as string;
    };
    bound = await signIn({ DPoP: await dpopProof(key, clock.now(), `${ISSUER}/oauth2/token`) });
    bearer = await signIn({});
  });
  afterAll(async () => {
    await app.close();
    rmSync(dir, { recursive: true });
  });

  const proof = (more: Parameters<typeof dpopProof>[3] = {}, by = key) =>
    dpopProof(by, clock.now(), `${API}/things`, { htm: 'GET', ath: hashOf(bound), ...more });
  const get = (authorization: string | undefined, DPoP?: string, path = '/things') =>
    request(app.getHttpServer())
      .get(path)
      .set({ ...(authorization && { authorization }), ...(DPoP !== undefined && { DPoP }) });
  const ALGS = 'algs="ES256 RS256 PS256 EdDSA Ed25519"';

  it('lets a bound token with a proof of its key in, under any public URL of this service', async () => {
    for (const base of [API, 'https://app.example.com', ISSUER]) {
      const answer = await get(`DPoP ${bound}`, await proof({ htu: `${base}/things` }));
      expect([answer.status, answer.body]).toEqual([200, { sub }]);
    }
    expect((await get(`dpop ${bound}`, await proof(), '/things?page=2')).status).toBe(200);
  });

  it('lets a Bearer token in as ever', async () => {
    expect((await get(`Bearer ${bearer}`)).status).toBe(200);
  });

  it.each<[string, () => Promise<[string | undefined, string?]>, string]>([
    ['nothing at all', async () => [undefined], `Bearer realm="auth", DPoP realm="auth", ${ALGS}`],
    ['another scheme', async () => ['Basic eDp5'], `Bearer realm="auth", DPoP realm="auth", ${ALGS}`],
    ['a wrong Bearer token', async () => ['Bearer x'], 'Bearer realm="auth", error="invalid_token"'],
    ['a wrong bound token', async () => ['DPoP x', await proof()], `DPoP realm="auth", error="invalid_token", ${ALGS}`],
    ['a bound token as Bearer', async () => [`Bearer ${bound}`], `DPoP realm="auth", error="invalid_token", ${ALGS}`],
    [
      'a bound token as Bearer beside a proof',
      async () => [`Bearer ${bound}`, await proof()],
      `DPoP realm="auth", error="invalid_token", ${ALGS}`,
    ],
    [
      'a Bearer token under the DPoP scheme',
      async () => [`DPoP ${bearer}`, await proof({ ath: hashOf(bearer) })],
      `DPoP realm="auth", error="invalid_token", ${ALGS}`,
    ],
    ['no proof', async () => [`DPoP ${bound}`], `DPoP realm="auth", error="invalid_dpop_proof", ${ALGS}`],
    [
      'a proof of another key',
      async () => [`DPoP ${bound}`, await proof({}, other)],
      `DPoP realm="auth", error="invalid_token", ${ALGS}`,
    ],
    [
      'a proof without ath',
      async () => [`DPoP ${bound}`, await proof({ ath: undefined })],
      `DPoP realm="auth", error="invalid_dpop_proof", ${ALGS}`,
    ],
    [
      'a proof for another token',
      async () => [`DPoP ${bound}`, await proof({ ath: hashOf(bearer) })],
      `DPoP realm="auth", error="invalid_dpop_proof", ${ALGS}`,
    ],
    [
      'a proof for another method',
      async () => [`DPoP ${bound}`, await proof({ htm: 'POST' })],
      `DPoP realm="auth", error="invalid_dpop_proof", ${ALGS}`,
    ],
    [
      'a proof for another route',
      async () => [`DPoP ${bound}`, await proof({ htu: `${API}/others` })],
      `DPoP realm="auth", error="invalid_dpop_proof", ${ALGS}`,
    ],
  ])('refuses %s', async (_, sent, challenge) => {
    const answer = await get(...(await sent()));
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challenge]);
    expect(answer.body).toEqual({ statusCode: 401, message: 'Unauthorized' }); // in the host's own words
  });

  it('refuses a proof that was used before (§11.1)', async () => {
    const once = await proof();
    expect((await get(`DPoP ${bound}`, once)).status).toBe(200);
    const again = await get(`DPoP ${bound}`, once);
    expect([again.status, again.headers['www-authenticate']]).toEqual([
      401,
      `DPoP realm="auth", error="invalid_dpop_proof", ${ALGS}`,
    ]);
  });

  it('says insufficient_scope in the scheme of the request', async () => {
    const htu = `${API}/things/secret`;
    const answer = await get(`DPoP ${bound}`, await proof({ htu }), '/things/secret');
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      403,
      `DPoP realm="auth", error="insufficient_scope", ${ALGS}, scope="admin"`,
    ]);
  });

  it('refuses a bound token whose session was revoked, where the route asks for its life', async () => {
    await app.get(SessionService).revokeAll({ sub });
    const answer = await get(`DPoP ${bound}`, await proof());
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      401,
      `DPoP realm="auth", error="invalid_token", ${ALGS}`,
    ]);
  });
});
