import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  type INestApplication,
  Logger,
  type LoggerService,
  UnauthorizedException,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import request from 'supertest';
import { AuthModule, type AuthModuleExtras, authSchema, type AuthOptions } from '../src/index.js';
import { takeDatabase, type TestDatabase } from './databases.js';
import { dataSourceOptions } from '../src/base/database/own/data-source-options.js';
import { expectError, ISSUER, SECRET } from './service.js';

/** Keeps what is logged as a warning. */
class Warnings implements LoggerService {
  readonly lines: unknown[] = [];
  log(): void {}
  error(): void {}
  warn(line: unknown): void {
    this.lines.push(line);
  }
}

describe.each(['Express', 'Fastify'])('a host on %s', (platform) => {
  let database: TestDatabase;
  let app: INestApplication;
  let warnings: Warnings;

  beforeEach(async () => {
    database = await takeDatabase();
    warnings = new Warnings();
  });
  afterEach(async () => {
    await app.close();
    Logger.overrideLogger(['error', 'warn']);
    database.release();
  });

  async function start(
    options: Partial<AuthOptions & AuthModuleExtras>,
    set: (app: INestApplication) => void,
  ): Promise<void> {
    const orm = { ...(await dataSourceOptions(database.url, authSchema())), migrationsRun: true };
    const module = await Test.createTestingModule({
      imports: [TypeOrmModule.forRoot(orm), AuthModule.forRoot({ issuer: ISSUER, secret: SECRET, ...options })],
    })
      .setLogger(warnings)
      .compile();
    app = platform === 'Fastify' ? module.createNestApplication(new FastifyAdapter()) : module.createNestApplication();
    set(app);
    await app.listen(0, '127.0.0.1');
  }
  const token = async () =>
    request(await app.getUrl())
      .post('/auth/v1/token')
      .send({});

  describe('with a global prefix', () => {
    it('is told at the start, in one line, where the issuer lacks it, and what to set', async () => {
      await start({}, (host) => host.setGlobalPrefix('api/v2'));
      expect(warnings.lines).toEqual([
        `our routes are under /api/v2, which the issuer lacks: set issuer to '${ISSUER}/api/v2'`,
      ]);
    });

    it.each([`${ISSUER}/api/v2`, `${ISSUER}/api/v2/`, `${ISSUER}/behind/a/proxy/api/v2`])(
      'is told nothing where the issuer is %s',
      async (issuer) => {
        await start({ issuer }, (host) => host.setGlobalPrefix('/api/v2/'));
        expect(warnings.lines).toEqual([]);
      },
    );

    it.each(['', '/of/a/proxy'])('is told nothing without one, where the issuer ends in "%s"', async (path) => {
      await start({ issuer: ISSUER + path }, () => undefined);
      expect(warnings.lines).toEqual([]);
    });

    it('is told nothing where our routes are excluded from it', async () => {
      await start({}, (host) => host.setGlobalPrefix('api', { exclude: ['auth/v1/{*path}'] }));
      expect(warnings.lines).toEqual([]);
    });
  });

  describe('with a route prefix', () => {
    const at = async (path: string) => request(await app.getUrl()).get(path);
    const post = async (path: string) =>
      request(await app.getUrl())
        .post(path)
        .send({});

    const nobody = {
      error: 'invalid_argument' as const,
      reason: 'CLIENT_ID_MISSING',
      fields: [{ field: 'client_id', description: 'is required' }],
    };

    it.each(['identity', '/identity/v2/', 'auth'])(
      'has the token endpoint and its kin below %s',
      async (routePrefix) => {
        await start({ routePrefix }, () => undefined);
        const path = `/${routePrefix.replace(/^\/|\/$/g, '')}`;
        expectError(await post(`${path}/token`), nobody);
        expectError(await post(`${path}/signin`), nobody);
        expectError(await at(`${path}/user/me`), { error: 'unauthenticated', reason: 'ACCESS_TOKEN_INVALID' });
        expect((await at(`${path}/certs`)).body.keys).toHaveLength(1);
        expect((await at('/.well-known/openid-configuration')).body).toMatchObject({
          jwks_uri: `${ISSUER}${path}/certs`,
          token_endpoint: `${ISSUER}/oauth2/token`,
        });
        for (const gone of ['token', 'signin', 'certs']) expect((await post(`/auth/v1/${gone}`)).status).toBe(404);
        expect(warnings.lines).toEqual([]);
      },
    );

    it('of nothing has them at the root', async () => {
      await start({ routePrefix: '' }, () => undefined);
      expectError(await post('/token'), nobody);
      expect((await at('/.well-known/openid-configuration')).body.jwks_uri).toBe(`${ISSUER}/certs`);
    });

    it('is told of the global prefix that the issuer lacks, all the same', async () => {
      await start({ routePrefix: 'identity' }, (host) => host.setGlobalPrefix('api'));
      expect(warnings.lines).toEqual([
        `our routes are under /api, which the issuer lacks: set issuer to '${ISSUER}/api'`,
      ]);
    });
  });

  describe('whose global guard refuses our token endpoint', () => {
    const refuse = (canActivate: CanActivate['canActivate']) => (host: INestApplication) =>
      void host.useGlobalGuards({ canActivate });

    it.each<[string, (context: ExecutionContext) => boolean, 'unauthenticated' | 'permission_denied', string]>([
      ['by false', () => false, 'permission_denied', 'Forbidden resource'],
      ['by 401', () => fail(new UnauthorizedException('Log in at /login')), 'unauthenticated', 'Log in at /login'],
      ['by 401 without words', () => fail(new UnauthorizedException()), 'unauthenticated', 'Unauthorized'],
      ['by 402', () => fail(new HttpException('Pay first', 402)), 'permission_denied', 'Pay first'],
    ])('has its words told to the client, and a line in the log: %s', async (_, guard, error, words) => {
      await start({}, refuse(guard));
      const response = await token();
      const message = `The application refuses this request. ${words}`;
      expectError(response, { error, reason: 'HOST_REFUSED', message });
      expect(warnings.lines).toEqual([
        {
          msg: `a guard of the host refused POST /auth/v1/token: ${words}`,
          requestId: response.headers['x-request-id'],
          status: { 'by false': 403, 'by 402': 402 }[_] ?? 401,
        },
      ]);
    });

    it('is not blamed for what our own guard refuses', async () => {
      await start({}, () => undefined);
      const response = await request(await app.getUrl()).get('/auth/v1/user/me');
      expectError(response, { error: 'unauthenticated', reason: 'ACCESS_TOKEN_INVALID' });
      expect(warnings.lines).toEqual([]);
    });
  });
});

it.each([
  ['oauth2', 'must not begin with oauth2, where we have other routes'],
  ['/device/', 'must not begin with device, where we have other routes'],
  ['a//b', "must be a path such as 'auth/v1'"],
  [':tenant', "must be a path such as 'auth/v1'"],
])('a route prefix %s is refused', (routePrefix, problem) => {
  expect(() => AuthModule.forRoot({ issuer: ISSUER, secret: SECRET, routePrefix })).toThrow(
    `AuthModule: routePrefix ${problem}`,
  );
});

function fail(error: Error): never {
  throw error;
}
