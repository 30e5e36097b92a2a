import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type CanActivate, Controller, type ExecutionContext, Get, Injectable, UseGuards } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import request from 'supertest';
import {
  type AccessToken,
  AccessTokenGuard,
  BearerToken,
  ClientService,
  exchangeOf,
  type HttpExchange,
  KeyService,
  type MetadataPublisher,
  PublishesMetadata,
  RequireLiveSession,
  RequireScopes,
  type ServerMetadata,
  SessionService,
  UserService,
} from '../src/index.js';
import { type Host, startHost } from './host.js';
import { ISSUER } from './service.js';

@Controller('orders')
@UseGuards(AccessTokenGuard)
@RequireScopes('orders')
class OrdersController {
  @Get()
  list(@BearerToken() token: AccessToken) {
    return { of: token.sub, by: token.client_id };
  }

  @Get('admin')
  @RequireScopes('admin', 'staff')
  admin() {
    return { admin: true };
  }

  @Get('payments')
  @RequireLiveSession()
  payments() {
    return { payments: [] };
  }
}

/** The token of a page that has it in a cookie. */
@Injectable()
class CookieGuard extends AccessTokenGuard {
  protected override presented(http: HttpExchange) {
    const token = /(?:^|; )token=([^;]+)/.exec(http.header('cookie') ?? '')?.[1];
    return token === undefined ? super.presented(http) : { scheme: 'Bearer' as const, token };
  }
}

@Injectable()
class TracingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = exchangeOf(context);
    http.setHeader('x-trace', `${http.method} ${http.url} ${http.requestId}`);
    return true;
  }
}

@Controller('pages')
@UseGuards(CookieGuard, TracingGuard)
class PagesController {
  @Get()
  page(@BearerToken() token: AccessToken) {
    return { of: token.sub };
  }
}

@Controller('open')
class OpenController {
  @Get()
  open() {
    return { open: true };
  }

  @Get('forgotten-guard')
  forgotten(@BearerToken() token: AccessToken) {
    return { of: token.sub };
  }
}

@Injectable()
@PublishesMetadata()
class Documentation implements MetadataPublisher {
  metadata(url: (path: string) => string): ServerMetadata {
    return { service_documentation: url('/docs'), scopes_supported: ['orders', 'openid'] };
  }
}

/** What Nest answers where nobody says otherwise. */
const UNAUTHORIZED = { statusCode: 401, message: 'Unauthorized' };
const FORBIDDEN = { statusCode: 403, message: 'Forbidden' };
const INVALID = 'Bearer realm="auth", error="invalid_token"';

describe('AccessTokenGuard on the routes of a host application', () => {
  let host: Host;
  let keys: KeyService;
  let sub: string;
  let secret: string;

  beforeAll(async () => {
    host = await startHost(
      { controllers: [OrdersController, PagesController, OpenController], providers: [Documentation] },
      { limitAccount: false },
    );
    keys = host.app.get(KeyService);
    const scopes = ['openid', 'orders', 'admin', 'staff'];
    const grant_types = ['password', 'refresh_token', 'client_credentials'];
    const app = { id: 'app', grant_types, scopes, default_scope: ['openid', 'orders'] };
    secret = (await host.app.get(ClientService).create(app)).secret!;
    sub = (await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' })).id;
  });
  afterAll(() => host.close());

  const ask = async (grant: object) => {
    const { status, body } = await request(host.url)
      .post('/oauth2/token')
      .send({ client_id: 'app', client_secret: secret, ...grant });
    expect(status).toBe(200);
    return body as Record<'access_token' | 'id_token' | 'refresh_token', string>;
  };
  const signIn = (scope?: string) => ask({ grant_type: 'password', username: 'ada', password: 'correct horse', scope });
  const get = (path: string, authorization?: string) => {
    const sent = request(host.url).get(path);
    return authorization === undefined ? sent : sent.set('authorization', authorization);
  };
  const seconds = () => host.clock.now() / 1000;
  const claims = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
    iss: ISSUER,
    sub,
    aud: ISSUER,
    exp: seconds() + 60,
    iat: seconds(),
    jti: 'x',
    client_id: 'app',
    scope: 'orders',
    groups: [],
    ...changes,
  });
  const kid = async () => (await keys.jwks()).keys[0]!['kid'] as string;

  it.each(['Bearer', 'bearer', 'BEARER '])(
    'lets a request with a token through (RFC 6750 §2.1), as %s',
    async (scheme) => {
      const { access_token } = await signIn();
      const response = await get('/orders', `${scheme} ${access_token}`);
      expect([response.status, response.body]).toEqual([200, { of: sub, by: 'app' }]);
      expect(response.headers['www-authenticate']).toBeUndefined();
    },
  );

  it('can be told to find the token elsewhere, and shares what it knows of the request', async () => {
    const { access_token } = await signIn();
    const response = await request(host.url)
      .get('/pages?a=1')
      .set({ cookie: `token=${access_token}`, 'x-request-id': 'r1' });
    expect([response.status, response.body]).toEqual([200, { of: sub }]);
    expect(response.headers['x-trace']).toBe('GET /pages?a=1 r1');
    expect((await get('/pages', `Bearer ${access_token}`)).status).toBe(200);
    expect((await get('/pages')).body).toEqual(UNAUTHORIZED);
  });

  it("lets a client's own token through", async () => {
    const { access_token } = await ask({ grant_type: 'client_credentials', scope: 'orders' });
    const response = await get('/orders/payments', `Bearer ${access_token}`);
    expect([response.status, response.body]).toEqual([200, { payments: [] }]);
  });

  it('takes the very claims that the tests below spoil', async () => {
    expect((await get('/orders', `Bearer ${keys.sign('at+jwt', claims())}`)).status).toBe(200);
  });

  it.each<[string, string | undefined]>([
    ['no header', undefined],
    ['an empty header', ''],
    ['Basic', 'Basic YWRhOmNvcnJlY3QgaG9yc2U='],
    ['Bearer with nothing', 'Bearer'],
    ['Bearer with two words', 'Bearer a b'],
    ['Bearer with a quoted word', 'Bearer "a"'],
    ['Bearer with a comma', 'Bearer a,b'],
  ])('asks for a token where there is none: %s (RFC 6750 §3)', async (_, authorization) => {
    const response = await get('/orders', authorization);
    expect([response.status, response.body]).toEqual([401, UNAUTHORIZED]);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="auth", DPoP realm="auth", algs="ES256 RS256 PS256 EdDSA Ed25519"',
    );
  });

  const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsecured = async (alg: string) =>
    `${base64url({ alg, typ: 'at+jwt', kid: await kid() })}.${base64url(claims())}.`;
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const byStranger = (header: object) =>
    new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header }).sign(stranger);

  it.each<[string, () => Promise<string>]>([
    ['garbage', async () => 'garbage'],
    ['three dots', async () => '...'],
    ['four parts', async () => `${(await signIn()).access_token}.x`],
    ['expired to the second (RFC 9068 §4)', async () => keys.sign('at+jwt', claims({ exp: seconds() }))],
    ['never expiring', async () => keys.sign('at+jwt', claims({ exp: undefined }))],
    ['not yet valid (RFC 7519 §4.1.5)', async () => keys.sign('at+jwt', claims({ nbf: seconds() + 1 }))],
    ['of another issuer', async () => keys.sign('at+jwt', claims({ iss: 'https://evil.example.com' }))],
    ['of our issuer with a slash more', async () => keys.sign('at+jwt', claims({ iss: `${ISSUER}/` }))],
    ['for another audience', async () => keys.sign('at+jwt', claims({ aud: 'https://api.example.com' }))],
    ['for no audience', async () => keys.sign('at+jwt', claims({ aud: undefined }))],
    ['without a subject', async () => keys.sign('at+jwt', claims({ sub: undefined }))],
    ['without a client', async () => keys.sign('at+jwt', claims({ client_id: undefined }))],
    ['of another type: an id_token', async () => (await signIn()).id_token],
    ['of another type: our claims as a plain JWT (RFC 9068 §4)', async () => keys.sign('JWT', claims())],
    ['of another kind: a refresh token', async () => (await signIn()).refresh_token],
    ['unsecured: alg none (RFC 8725 §3.2)', () => unsecured('none')],
    ['unsecured: alg NONE', () => unsecured('NONE')],
    ['signed with an empty signature', () => unsecured('ES256')],
    [
      'signed with our public key as an HMAC secret (RFC 8725 §3.1)',
      async () => {
        const [jwk] = (await keys.jwks()).keys;
        const pem = createPublicKey({ key: jwk!, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
        const input = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: jwk!['kid'] })}.${base64url(claims())}`;
        return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
      },
    ],
    ["signed with a stranger's key under its own kid", () => byStranger({ kid: 'stranger' })],
    ["signed with a stranger's key under our kid", async () => byStranger({ kid: await kid() })],
    ["signed with a stranger's key without a kid", () => byStranger({})],
    [
      "signed with a stranger's key that it brings along (RFC 8725 §3.8)",
      async () => byStranger({ kid: await kid(), jwk: createPublicKey(stranger).export({ format: 'jwk' }) }),
    ],
    [
      'tampered with',
      async () => {
        const [header, , signature] = (await signIn()).access_token.split('.');
        return `${header}.${base64url(claims({ scope: 'orders admin staff' }))}.${signature}`;
      },
    ],
    [
      'with a critical extension that nobody knows (RFC 7515 §4.1.11)',
      async () => {
        const [header, payload, signature] = (await signIn()).access_token.split('.');
        const known = JSON.parse(Buffer.from(header!, 'base64url').toString()) as object;
        return `${base64url({ ...known, crit: ['x'], x: 1 })}.${payload}.${signature}`;
      },
    ],
  ])('refuses a token that is %s', async (_, tokenOf) => {
    const response = await get('/orders', `Bearer ${await tokenOf()}`);
    expect([response.status, response.body]).toEqual([401, UNAUTHORIZED]);
    expect(response.headers['www-authenticate']).toBe(INVALID);
  });

  it('refuses a token in the URL or the body (RFC 6750 §2.3, RFC 9700 §4.3.2)', async () => {
    const { access_token } = await signIn();
    const response = await request(host.url).get(`/orders?access_token=${access_token}`).send({ access_token });
    expect([response.status, response.body]).toEqual([401, UNAUTHORIZED]);
  });

  it('refuses a token whose scope is too small, and says which it takes (RFC 6750 §3.1)', async () => {
    const response = await get('/orders', `Bearer ${(await signIn('openid')).access_token}`);
    expect([response.status, response.body]).toEqual([403, FORBIDDEN]);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="auth", error="insufficient_scope", scope="orders"',
    );
  });

  it.each<[string, number]>([
    ['admin staff orders', 200],
    ['admin staff', 403], // what the controller requires is required of its routes
    ['orders admin', 403],
    ['orders', 403],
  ])('wants all scopes of the route and of its controller: %s → %i', async (scope, status) => {
    const response = await get('/orders/admin', `Bearer ${(await signIn(scope)).access_token}`);
    expect(response.status).toBe(status);
    expect(response.headers['www-authenticate']).toBe(
      status === 200 ? undefined : 'Bearer realm="auth", error="insufficient_scope", scope="admin staff orders"',
    );
  });

  it('does not take one scope for another that it is part of', async () => {
    const token = keys.sign('at+jwt', claims({ scope: 'orders.read reorders' }));
    expect((await get('/orders', `Bearer ${token}`)).status).toBe(403);
  });

  it('asks whether the session lives only where that is required', async () => {
    const { access_token } = await signIn();
    expect((await get('/orders/payments', `Bearer ${access_token}`)).body).toEqual({ payments: [] });
    await host.app.get(SessionService).revoke(decodeJwt(access_token)['sid'] as string);
    const refused = await get('/orders/payments', `Bearer ${access_token}`);
    expect([refused.status, refused.body]).toEqual([401, UNAUTHORIZED]);
    expect(refused.headers['www-authenticate']).toBe(INVALID);
    expect((await get('/orders', `Bearer ${access_token}`)).status).toBe(200);
  });

  it('takes tokens of a key that was rotated away, for as long as they live', async () => {
    const { access_token } = await signIn();
    await keys.rotate();
    host.clock.advance(361);
    const { access_token: newer } = await signIn();
    expect(decodeProtectedHeader(newer).kid).not.toBe(decodeProtectedHeader(access_token).kid);
    for (const token of [access_token, newer]) expect((await get('/orders', `Bearer ${token}`)).status).toBe(200);
  });

  it("leaves the host's other routes alone", async () => {
    expect((await get('/open')).body).toEqual({ open: true });
  });

  it('fails, and does not pass an absent token on, where the guard was forgotten', async () => {
    const response = await get('/open/forgotten-guard');
    expect([response.status, response.body]).toEqual([500, { statusCode: 500, message: 'Internal server error' }]);
  });

  it('lets the host add to the discovery document', async () => {
    const { body } = await get('/.well-known/openid-configuration');
    expect(body).toMatchObject({
      issuer: ISSUER,
      service_documentation: `${ISSUER}/docs`,
      scopes_supported: ['openid', 'profile', 'email', 'phone', 'address', 'orders'],
    });
  });
});
