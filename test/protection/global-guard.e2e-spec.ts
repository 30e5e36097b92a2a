import { type CanActivate, Controller, type ExecutionContext, Get, Injectable, UseGuards } from '@nestjs/common';
import { APP_GUARD, DiscoveryService, Reflector } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  type AccessToken,
  AccessTokenGuard,
  BearerToken,
  type GuardedRequest,
  OptionalToken,
  Public,
} from '../../src/index.js';
import { dpopProof, hashOf, keyPair } from '../jwts.js';
import { ISSUER } from '../service.js';
import { embedded, type Guarded } from './guarded.js';

@Controller('shop')
class ShopController {
  @Get()
  shop(@BearerToken() token: AccessToken) {
    return { of: token.sub };
  }

  @Get('twice')
  @UseGuards(AccessTokenGuard)
  twice(@BearerToken() token: AccessToken) {
    return { of: token.sub };
  }

  @Get('window')
  @Public()
  window() {
    return { open: true };
  }

  @Get('door')
  @OptionalToken()
  door(@BearerToken() token?: AccessToken) {
    return { of: token?.sub ?? 'a stranger' };
  }
}

/** A guard of the host's own that honours the same decorator. */
@Injectable()
class KnockGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.reflector.getAllAndOverride(Public, [context.getHandler(), context.getClass()])) return true;
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-knock'] === '3';
  }
}

const signIn = {
  client_id: 'app',
  grant_type: 'password',
  username: 'ada',
  password: 'correct horse',
  scope: 'openid',
};

describe.each<[string, { new (...args: never[]): CanActivate }]>([
  ['AccessTokenGuard', AccessTokenGuard],
  ["a host's own guard", KnockGuard],
])('under %s as a global guard', (_, guard) => {
  let host: Guarded;
  beforeAll(async () => {
    host = await embedded({ controllers: [ShopController], providers: [{ provide: APP_GUARD, useClass: guard }] });
  });
  afterAll(() => host?.close());

  it('every controller of ours says that it sees to itself', () => {
    const found = host.app.get(DiscoveryService, { strict: false }).getControllers();
    const ours = found.map(({ metatype }) => metatype!).filter((metatype) => metatype !== ShopController);
    expect(ours.length).toBeGreaterThan(15);
    expect(ours.filter((metatype) => !new Reflector().get(Public, metatype))).toEqual([]);
  });

  it.each<[string, string, object | undefined]>([
    ['GET', '/auth/v1/certs', undefined],
    ['GET', '/.well-known/openid-configuration', undefined],
    ['POST', '/auth/v1/token', signIn],
    ['POST', '/oauth2/token', signIn],
    ['GET', '/device', undefined],
  ])('ours are open: %s %s', async (method, path, body) => {
    const send = request(host.url);
    expect((await (method === 'GET' ? send.get(path) : send.post(path).send(body))).status).toBe(200);
  });

  it('the userinfo endpoint takes its token from the form, as ever (RFC 6750 §2.2)', async () => {
    const access_token = await host.signIn({ scope: 'openid' });
    const answer = await request(host.url).post('/oauth2/userinfo').type('form').send({ access_token });
    expect([answer.status, answer.body]).toEqual([200, { sub: host.sub }]);
    const refused = await request(host.url).post('/oauth2/userinfo').type('form').send({ access_token: 'x' });
    expect(refused.status).toBe(401);
  });
});

describe('routes of a host under AccessTokenGuard as a global guard', () => {
  let host: Guarded;
  beforeAll(async () => {
    host = await embedded({
      controllers: [ShopController],
      providers: [{ provide: APP_GUARD, useClass: AccessTokenGuard }],
    });
  });
  afterAll(() => host?.close());

  const get = (path: string, authorization = '') => request(host.url).get(path).set({ authorization });

  it('are guarded without a word', async () => {
    expect((await get('/shop')).status).toBe(401);
    expect((await get('/shop', `Bearer ${await host.signIn()}`)).body).toEqual({ of: host.sub });
  });

  it('are open where they say so', async () => {
    expect((await get('/shop/window')).body).toEqual({ open: true });
    expect((await get('/shop/door')).body).toEqual({ of: 'a stranger' });
    expect((await get('/shop/door', `Bearer ${await host.signIn()}`)).body).toEqual({ of: host.sub });
    expect((await get('/shop/door', 'Bearer x')).status).toBe(401);
  });

  it('may have the guard twice, and use a DPoP proof once', async () => {
    const key = await keyPair();
    const now = host.clock.now();
    const token = await host.signIn({}, { DPoP: await dpopProof(key, now, `${ISSUER}/auth/v1/token`) });
    const DPoP = await dpopProof(key, now, `${ISSUER}/shop/twice`, { htm: 'GET', ath: hashOf(token) });
    const ask = () =>
      request(host.url)
        .get('/shop/twice')
        .set({ authorization: `DPoP ${token}`, DPoP });
    expect((await ask()).body).toEqual({ of: host.sub });
    expect((await ask()).status).toBe(401);
  });
});

@Controller('tested')
@UseGuards(AccessTokenGuard)
class TestedController {
  @Get()
  get(@BearerToken() token?: AccessToken) {
    return { of: token?.sub ?? 'whoever' };
  }
}

describe("a host's test that overrides AccessTokenGuard", () => {
  const ask = async (guard: CanActivate) => {
    const module = await Test.createTestingModule({ controllers: [TestedController] })
      .overrideGuard(AccessTokenGuard)
      .useValue(guard)
      .compile();
    const app = await module.createNestApplication({ logger: false }).init();
    const answer = await request(app.getHttpServer()).get('/tested');
    await app.close();
    return [answer.status, answer.body] as unknown;
  };

  it('says who asks by request.auth, which @BearerToken() gives', async () => {
    const letsAdaIn = (context: ExecutionContext) => {
      const request: GuardedRequest = context.switchToHttp().getRequest();
      request.auth = { sub: 'ada' } as AccessToken;
      return true;
    };
    expect(await ask({ canActivate: letsAdaIn })).toEqual([200, { of: 'ada' }]);
  });

  it('need not say: the route runs, and has no token', async () => {
    expect(await ask({ canActivate: () => true })).toEqual([200, { of: 'whoever' }]);
  });
});
