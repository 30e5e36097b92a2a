import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { ClientService, KeyService } from '../../src/index.js';
import {
  type AccessToken,
  AccessTokenGuard,
  BearerToken,
  RequireLiveSession,
  ResourceServerModule,
} from '../../src/protection/resource-server/index.js';
import { dpopProof, hashOf, jwt, keyPair } from '../jwts.js';
import { FakeClock } from '../service.js';
import { API, type Guarded, type Issuer, startIssuer, startResourceServer } from './guarded.js';

@Controller('things')
@UseGuards(AccessTokenGuard)
class ThingsController {
  @Get()
  things(@BearerToken() token: AccessToken) {
    return { of: token.sub, by: token.iss };
  }

  @Get('precious')
  @RequireLiveSession()
  precious() {
    return { precious: true };
  }
}

const DISCOVERY = '/.well-known/openid-configuration';
const UNAUTHORIZED = { statusCode: 401, message: 'Unauthorized' };
const UNAVAILABLE = { statusCode: 503, message: 'Service Unavailable' };
const INVALID = 'Bearer realm="auth", error="invalid_token"';

describe('ResourceServerModule', () => {
  let issuer: Issuer;
  let other: Issuer;
  let server: Pick<Guarded, 'app' | 'url' | 'close'>;
  let client: { id: string; secret: string };

  beforeAll(async () => {
    [issuer, other] = [await startIssuer(), await startIssuer()];
    const registered = await issuer.service.app.get(ClientService).create({ id: 'things', grant_types: [] });
    client = { id: 'things', secret: registered.secret! };
  });
  beforeEach(async () => {
    issuer.down = issuer.hanging = false;
    issuer.asked = [];
    server = await startResourceServer(
      { controllers: [ThingsController] },
      { issuer: [{ issuer: issuer.url, client }, other.url] },
      issuer.service.clock,
    );
  });
  afterEach(() => server.close());
  afterAll(() => Promise.all([issuer?.close(), other?.close()]));

  const get = (token: string, path = '/things') =>
    request(server.url)
      .get(path)
      .set({ authorization: `Bearer ${token}` });
  const clock = () => issuer.service.clock;
  const keys = () => issuer.service.app.get(KeyService);

  it('asks nobody at the start, and what it has to ask once', async () => {
    expect(issuer.asked).toEqual([]);
    const token = issuer.sign();
    const answers = await Promise.all([get(token), get(token), get(token)]);
    expect(answers.map(({ body }) => body)).toEqual(answers.map(() => ({ of: issuer.sub, by: issuer.url })));
    expect((await get(await issuer.signIn())).status).toBe(200);
    expect(issuer.asked).toEqual([DISCOVERY, '/auth/v1/certs']);
  });

  it('takes tokens of several issuers, each by its own keys', async () => {
    expect((await get(other.sign())).body).toEqual({ of: other.sub, by: other.url });
    const foreign = await get(other.sign({ iss: issuer.url }));
    expect([foreign.status, foreign.body, foreign.headers['www-authenticate']]).toEqual([401, UNAUTHORIZED, INVALID]);
  });

  it.each<[string, (token: Issuer) => string | Promise<string>]>([
    ['of somebody else', (of) => of.sign({ iss: 'https://evil.example.com' })],
    ['for another service', (of) => of.sign({ aud: 'https://other.example.com' })],
    ['that has expired', (of) => of.sign({ exp: of.service.clock.now() / 1000 })],
    ['that is none', () => 'x.y.z'],
    ['of another type', (of) => of.service.app.get(KeyService).sign('JWT', { iss: of.url, aud: API })],
    [
      'signed by a stranger under a known id',
      async (of) => {
        const [known] = (await of.service.app.get(KeyService).jwks()).keys;
        return jwt(await keyPair(), { typ: 'at+jwt', kid: known!['kid'] as string }, { iss: of.url, aud: API });
      },
    ],
  ])('refuses a token %s', async (_, tokenOf) => {
    const answer = await get(await tokenOf(issuer));
    expect([answer.status, answer.body, answer.headers['www-authenticate']]).toEqual([401, UNAUTHORIZED, INVALID]);
  });

  it('asks nobody about a token of an issuer that is not trusted', async () => {
    expect((await get(issuer.sign({ iss: `${issuer.url}/` }))).status).toBe(401);
    expect(issuer.asked).toEqual([]);
  });

  it('reads the keys again when they have run out, and one that was retired counts no longer', async () => {
    const token = issuer.sign({ exp: clock().now() / 1000 + 3600 });
    expect((await get(token)).status).toBe(200);
    const [known] = (await keys().jwks()).keys;
    await keys().retire(known!['kid'] as string);
    expect((await get(token)).status).toBe(200); // for as long as the issuer has said
    clock().advance(301);
    expect((await get(token)).status).toBe(401);
  });

  it('asks at once for a key that it does not know, and seldom for one that there is not', async () => {
    expect((await get(issuer.sign())).status).toBe(200);
    const [known] = (await keys().jwks()).keys;
    await keys().retire(known!['kid'] as string);
    expect((await get(issuer.sign())).status).toBe(200);
    issuer.asked = [];
    const stranger = await keyPair();
    const forged = (kid: string) => jwt(stranger, { typ: 'at+jwt', kid }, { iss: issuer.url });
    for (const kid of ['a', 'b', 'c']) expect((await get(await forged(kid))).status).toBe(401);
    expect(issuer.asked).toEqual([]);
    clock().advance(10);
    for (const kid of ['d', 'e']) expect((await get(await forged(kid))).status).toBe(401);
    expect(issuer.asked).toEqual(['/auth/v1/certs']);
  });

  it('has no word about a token while the issuer was never there, and goes on once it is', async () => {
    issuer.down = true;
    const token = issuer.sign();
    const answer = await get(token);
    expect([answer.status, answer.body, answer.headers['retry-after']]).toEqual([503, UNAVAILABLE, '1']);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    issuer.down = false;
    expect((await get(token)).status).toBe(503); // the same moment: not asked again
    clock().advance(1);
    expect((await get(token)).status).toBe(200);
  });

  it('goes on with the keys that it has for a day while the issuer is away', async () => {
    const token = issuer.sign({ exp: clock().now() / 1000 + 90_000 });
    expect((await get(token)).status).toBe(200);
    issuer.down = true;
    clock().advance(86_300);
    expect((await get(token)).status).toBe(200);
    clock().advance(101);
    expect((await get(token)).status).toBe(503);
  });

  it('does not wait for an issuer that hangs, but for a moment', async () => {
    const token = issuer.sign({ exp: clock().now() / 1000 + 3600 });
    expect((await get(token)).status).toBe(200);
    issuer.hanging = true;
    clock().advance(301);
    const started = performance.now();
    for (let n = 0; n < 4; n++) expect((await get(token)).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(1500);
    issuer.hanging = false;
  });

  it('takes a token that is bound to a key with a proof of it, once (RFC 9449 §7)', async () => {
    const key = await keyPair();
    const now = clock().now();
    const token = await issuer.signIn({}, { DPoP: await dpopProof(key, now, `${issuer.url}/auth/v1/token`) });
    const ask = (DPoP: string) =>
      request(server.url)
        .get('/things')
        .set({ authorization: `DPoP ${token}`, DPoP });
    const proof = (htu: string) => dpopProof(key, now, htu, { htm: 'GET', ath: hashOf(token) });
    const once = await proof(`${API}/things`);
    expect((await ask(once)).body).toEqual({ of: issuer.sub, by: issuer.url });
    expect((await ask(once)).headers['www-authenticate']).toMatch(/^DPoP realm="auth", error="invalid_dpop_proof"/);
    expect((await ask(await proof(`${issuer.url}/things`))).status).toBe(401); // of another place
    expect((await get(token)).status).toBe(401);
  });

  it('remembers a proof for as long as it would be taken', async () => {
    const key = await keyPair();
    const token = await issuer.signIn({}, { DPoP: await dpopProof(key, clock().now(), `${issuer.url}/auth/v1/token`) });
    const early = clock().now() + 299_000;
    const DPoP = await dpopProof(key, early, `${API}/things`, { htm: 'GET', ath: hashOf(token) });
    const ask = () =>
      request(server.url)
        .get('/things')
        .set({ authorization: `DPoP ${token}`, DPoP });
    expect((await ask()).status).toBe(200);
    for (let passed = 0; passed < 650; passed += 65) {
      expect((await ask()).status).toBe(401);
      clock().advance(65);
    }
  });

  describe('asks about a session where a route requires that', () => {
    it('once in a few seconds, by the client of this service', async () => {
      const token = await issuer.signIn();
      expect((await get(token, '/things/precious')).body).toEqual({ precious: true });
      await issuer.signOut();
      expect((await get(token, '/things/precious')).status).toBe(200);
      expect(issuer.asked.filter((path) => path === '/oauth2/introspect')).toHaveLength(1);
      clock().advance(5);
      const refused = await get(token, '/things/precious');
      expect([refused.status, refused.body, refused.headers['www-authenticate']]).toEqual([401, UNAUTHORIZED, INVALID]);
      expect((await get(token)).status).toBe(200);
    });

    it('and has no word while the issuer is away', async () => {
      const token = await issuer.signIn();
      expect((await get(token)).status).toBe(200);
      issuer.down = true;
      const answer = await get(token, '/things/precious');
      expect([answer.status, answer.body, answer.headers['retry-after']]).toEqual([503, UNAVAILABLE, '1']);
      issuer.down = false;
      expect((await get(token, '/things/precious')).status).toBe(200);
    });

    it('and fails where it is no client of that issuer', async () => {
      const token = other.sign({ exp: clock().now() / 1000 + 60 });
      expect((await get(token, '/things/precious')).status).toBe(500);
    });
  });

  it('does not take the metadata of one for those of another (RFC 8414 §3.3)', async () => {
    const alias = issuer.url.replace('127.0.0.1', 'localhost');
    const misled = await startResourceServer({ controllers: [ThingsController] }, { issuer: alias }, clock());
    const answer = await request(misled.url)
      .get('/things')
      .set({ authorization: `Bearer ${issuer.sign({ iss: alias })}` });
    expect(answer.status).toBe(503);
    await misled.close();
  });
});

describe('the options of ResourceServerModule', () => {
  const start = (options: object) => startResourceServer({}, options, new FakeClock());

  it.each<[object, string]>([
    [{ issuer: [] }, 'issuer must name an authorization server'],
    [{ issuer: 'auth.example.com' }, 'issuer must be an http(s) URL'],
    [{ issuer: 'https://auth.example.com?x' }, 'issuer must be a URL without query, fragment and credentials'],
    [
      { issuer: 'http://auth.example.com' },
      'issuer must be https, or `allowHttp` be true: whoever is in between could sign tokens',
    ],
    [{ issuer: ['https://a.example.com', 'https://a.example.com'] }, 'issuer names one twice'],
    [{ issuer: 'https://a.example.com', audience: '' }, 'audience must say what this service is called'],
    [{ issuer: 'https://a.example.com', url: 'api' }, 'url must be an http(s) URL'],
    [{ issuer: 'https://a.example.com', liveFor: 61 }, 'liveFor must be from 0 to 60 seconds'],
    [
      { issuer: ['https://a.example.com', 'https://b.example.com'], client: { id: 'a', secret: 's' } },
      'client must stand beside its issuer where there are several',
    ],
  ])('stop the start where they are wrong: %j', async (options, problem) => {
    await expect(start(options)).rejects.toThrow(`ResourceServerModule: ${problem}`);
  });

  it('need no issuer that is there', async () => {
    const { close } = await start({ issuer: 'http://nowhere.example.com', allowHttp: true });
    await close();
  });

  it('may come from a factory, for an application whose modules all use the guard', async () => {
    @Module({ controllers: [ThingsController] })
    class ThingsModule {}
    const useFactory = () => ({ issuer: 'https://a.example.com', audience: API });
    const auth = ResourceServerModule.forRootAsync({ useFactory, isGlobal: true });
    const module = await Test.createTestingModule({ imports: [auth, ThingsModule] }).compile();
    const app = await module.createNestApplication({ logger: false }).init();
    expect((await request(app.getHttpServer()).get('/things')).body).toEqual(UNAUTHORIZED);
    await app.close();
  });
});
