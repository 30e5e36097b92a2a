import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type AccessToken, AccessTokenGuard, AuthModule, BearerToken, Clock, RequireScopes } from 'nest-auth-service';
import { AuthTestingModule, type TestClock, tokenFor } from 'nest-auth-service/testing';

// the README's recipe, as a host has it; run by test/package.e2e-spec.ts
const auth = AuthModule.forRoot({ issuer: 'https://app.example.com', secret: process.env.AUTH_SECRET! });

@Controller('orders')
@UseGuards(AccessTokenGuard)
@RequireScopes('orders')
class OrdersController {
  @Get()
  list(@BearerToken() token: AccessToken) {
    return { of: token.sub };
  }
}

@Module({ imports: [auth], controllers: [OrdersController] })
class OrdersModule {}

let app: INestApplication;

beforeAll(async () => {
  const module = await Test.createTestingModule({ imports: [OrdersModule] })
    .overrideModule(auth)
    .useModule(AuthTestingModule.forRoot())
    .compile();
  app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

it('lists the orders of whom the token is for', async () => {
  const token = await tokenFor(app, { sub: 'ada', scope: 'orders' });
  const orders = async () => fetch(`${await app.getUrl()}/orders`, { headers: { authorization: `Bearer ${token}` } });
  expect(await (await orders()).json()).toEqual({ of: 'ada' });
  app.get<TestClock>(Clock).advance(7200);
  expect((await orders()).status).toBe(401);
});
