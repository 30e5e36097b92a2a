import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import request from 'supertest';
import { authEntities, AuthModule, authMigrations, ClientService, type User, Users } from '../../src/index.js';
import { FIRST_PARTY_GRANTS } from './sdk.js';

class HostUsers extends Users {
  async verify(username: string, password: string): Promise<User | undefined> {
    return username === 'ada' && password === 'correct horse' ? this.find() : undefined;
  }

  async find(): Promise<User> {
    return { sub: 'host-1', groups: ['staff'], disabled: false };
  }
}

describe('a host that keeps its users itself', () => {
  let app: INestApplication;
  let url: string;
  let token: string;
  const dir = mkdtempSync(join(tmpdir(), 'auth-'));

  beforeAll(async () => {
    @Module({
      imports: [
        TypeOrmModule.forRoot({
          type: 'sqlite',
          database: join(dir, 'host.sqlite'),
          enableWAL: true,
          entities: authEntities,
          migrations: authMigrations,
          migrationsRun: true,
        }),
        AuthModule.forRoot({
          issuer: 'https://auth.example.com',
          secret: 'a-service-secret-for-tests-0123456789',
          logVerificationCodes: true,
          providers: [{ provide: Users, useClass: HostUsers }],
        }),
      ],
    })
    class HostModule {}
    const module = await Test.createTestingModule({ imports: [HostModule] }).compile();
    app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    await app.get(ClientService).create({
      id: 'app',
      public: true,
      grant_types: FIRST_PARTY_GRANTS,
      scopes: ['openid'],
      default_scope: ['openid'],
    });
    const signIn = request(url).post('/auth/v1/signin?client_id=app');
    token = (await signIn.send({ username: 'ada', password: 'correct horse' })).body.access_token;
  });
  afterAll(async () => {
    await app.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const asUser = (method: 'get' | 'post' | 'patch', path: string) =>
    request(url)[method](`/auth/v1${path}`).set('Authorization', `Bearer ${token}`);

  it('has them sign in and read what it tells of them', async () => {
    const { body } = await asUser('get', '/user/me');
    const groups = [{ id: 'staff' }];
    expect(body).toEqual({ sub: 'host-1', user_id: 'host-1', status: 'ACTIVE', groups, meta: {} });
  });

  it.each([
    ['post', '/signin/anonymously?client_id=app', {}],
    ['post', '/signup?client_id=app', { email: 'a@example.com', verification_token: 'x' }],
    ['post', '/verification', { email: 'a@example.com' }],
    [
      'post',
      '/reset?client_id=app',
      { email: 'a@example.com', verification_token: 'x', new_password: 'battery staple' },
    ],
    ['post', '/user/sudo', { password: 'correct horse' }],
    ['patch', '/user/profile', { name: 'Ada' }],
  ] as const)('%s %s is refused, for nothing of theirs is ours to change', async (method, path, body) => {
    const response = await asUser(method, path).set('x-device-id', 'a-device').send(body);
    expect([response.status, response.body.details[0].reason]).toEqual([403, 'USERS_ELSEWHERE']);
  });
});
