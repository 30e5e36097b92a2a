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
  type Inbox,
  RequireLiveSession,
  RequireScopes,
  SessionService,
  UserService,
  VerificationSender,
} from '../src/index.js';
import { AuthTestingModule, type TestClock, tokenFor } from '../src/testing/index.js';
import { startHost } from './host.js';

const auth = AuthModule.forRoot({
  issuer: 'https://app.example.com',
  secret: 'a-secret-of-the-host-0123456789-0123456789',
});

@Controller('orders')
@UseGuards(AccessTokenGuard)
@RequireScopes('orders')
class OrdersController {
  @Get()
  list(@BearerToken() token: AccessToken): object {
    return {
      sub: token.sub,
      groups: token.groups,
      client: token.client_id,
      tenant: (token as { tenant?: string }).tenant,
    };
  }

  @Get('live')
  @RequireLiveSession()
  live(): object {
    return {};
  }
}

@Module({ imports: [auth], controllers: [OrdersController] })
class OrdersModule {}

const orders = (app: INestApplication, token: string, path = '/orders') =>
  request(app.getHttpServer()).get(path).set('Authorization', `Bearer ${token}`);

describe('AuthTestingModule in place of AuthModule, without any data source,', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [OrdersModule] })
      .overrideModule(auth)
      .useModule(AuthTestingModule.forRoot())
      .compile();
    app = module.createNestApplication({ logger: false });
    await app.init();
  });
  afterAll(() => app.close());

  it('gives tokens that the real guard accepts, with what they are to say', async () => {
    const token = await tokenFor(app, {
      sub: 'ada',
      scope: 'orders',
      groups: ['staff'],
      client_id: 'web',
      tenant: 't1',
    });
    const { status, body } = await orders(app, token);
    expect([status, body]).toEqual([200, { sub: 'ada', groups: ['staff'], client: 'web', tenant: 't1' }]);
    const own = await tokenFor(app, { scope: 'orders', client_id: 'backend' });
    expect((await orders(app, own)).body).toEqual({ sub: 'backend', groups: [], client: 'backend' });
  });

  it('refuses what the real guard refuses: less scope, an expired token, one of another application', async () => {
    expect((await orders(app, await tokenFor(app, { sub: 'ada' }))).status).toBe(403);
    expect((await orders(app, await tokenFor(app, { sub: 'ada', scope: 'orders', expiresIn: -1 }))).status).toBe(401);
    const other = await Test.createTestingModule({ imports: [AuthTestingModule.forRoot()] }).compile();
    await other.init();
    expect((await orders(app, await tokenFor(other, { sub: 'ada', scope: 'orders' }))).status).toBe(401);
    await other.close();
  });

  it('has a clock to move', async () => {
    const token = await tokenFor(app, { sub: 'ada', scope: 'orders', expiresIn: 60 });
    const clock = app.get<TestClock>(Clock);
    clock.advance(59);
    expect((await orders(app, token)).status).toBe(200);
    clock.advance(1);
    expect((await orders(app, token)).status).toBe(401);
  });

  it('knows users and sessions, for @RequireLiveSession()', async () => {
    const { id: sub } = await app
      .get(UserService)
      .create({ username: 'bob', password: 'correct horse', groups: ['g'] });
    const token = await tokenFor(app, { sub, scope: 'orders' });
    expect((await orders(app, token)).body).toMatchObject({ groups: ['g'] });
    expect((await orders(app, token, '/orders/live')).status).toBe(200);
    await app.get(SessionService).revokeAll({ sub });
    expect((await orders(app, token, '/orders/live')).status).toBe(401);
    expect((await orders(app, await tokenFor(app, { sub: 'ada', scope: 'orders' }), '/orders/live')).status).toBe(401);
  });

  it('keeps the codes that were sent, and lets sign-ins through as the service does', async () => {
    await app.get(ClientService).create({ id: 'app', public: true, grant_types: ['urn:nest-auth:grant-type:sign_up'] });
    const post = (path: string, body: object) => request(app.getHttpServer()).post(`/auth/v1${path}`).send(body);
    const asked = await post('/verification?client_id=app', { email: 'Eve@example.com', target: 'ANY' });
    expect(asked.status).toBe(200);
    const inbox = app.get<Inbox>(VerificationSender);
    expect(inbox.messages).toEqual([expect.objectContaining({ purpose: 'access', client: 'app' })]);
    const verification_code = inbox.codeTo('eve@example.com');
    const { verification_id } = asked.body as { verification_id: string };
    const verified = await post('/verification/verify?client_id=app', { verification_id, verification_code });
    const { verification_token } = verified.body as { verification_token: string };
    const signedUp = await post('/token', {
      client_id: 'app',
      grant_type: 'urn:nest-auth:grant-type:sign_up',
      email: 'eve@example.com',
      verification_token,
    });
    expect(signedUp.status).toBe(200);
  });
});

it("tokenFor() works for an application with its own database as well, and with its own users' sessions", async () => {
  const host = await startHost({ controllers: [OrdersController] });
  const { id: sub } = await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' });
  const token = await tokenFor(host.app, { sub, scope: 'orders' });
  expect((await orders(host.app, token, '/orders/live')).status).toBe(200);
  await host.close();
});
