import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplication, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { AuthModule, ClientService, UserService } from '../src/index.js';
import { itOnServer, takeDatabase, type TestDatabase } from './databases.js';
import { ISSUER, SECRET } from './service.js';

const OPTIONS = { issuer: ISSUER, secret: SECRET };

describe('a host without TypeORM names a database by its URL', () => {
  let database: TestDatabase;
  let app: INestApplication | undefined;

  beforeEach(async () => {
    database = await takeDatabase();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    database.release();
  });

  async function start(auth: NonNullable<Parameters<typeof Module>[0]['imports']>[number], ...providers: Type[]) {
    const module = await Test.createTestingModule({ imports: [auth], providers }).compile();
    app = await module.createNestApplication().init();
    return app;
  }

  async function signIn(host: INestApplication) {
    await host.get(ClientService).create({ id: 'app', public: true, grant_types: ['password', 'refresh_token'] });
    await host.get(UserService).create({ username: 'ada', password: 'correct horse' });
    return request(host.getHttpServer())
      .post('/auth/v1/token')
      .send({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' });
  }

  it('and gets tokens, with no other module and no schema of its own', async () => {
    const host = await start(AuthModule.forRoot({ ...OPTIONS, databaseUrl: database.url }));
    expect((await signIn(host)).status).toBe(200);
  });

  it('in options that a factory makes, too', async () => {
    const auth = AuthModule.forRootAsync({ useFactory: () => ({ ...OPTIONS, databaseUrl: database.url }) });
    expect((await signIn(await start(auth))).status).toBe(200);
  });

  it('and finds everything again after a start', async () => {
    const auth = () => AuthModule.forRoot({ ...OPTIONS, databaseUrl: database.url });
    const { refresh_token } = (await signIn(await start(auth()))).body;
    await app!.close();
    const response = await request((await start(auth())).getHttpServer())
      .post('/auth/v1/token')
      .send({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
    expect(response.status).toBe(200);
  });

  it('may have what is exported everywhere', async () => {
    @Injectable()
    class Registry {
      constructor(readonly clients: ClientService) {}
    }
    @Module({ providers: [Registry] })
    class PartnersModule {}
    const auth = AuthModule.forRoot({ ...OPTIONS, databaseUrl: database.url, isGlobal: true });
    @Module({ imports: [auth, PartnersModule] })
    class HostModule {}
    const host = await start(HostModule);
    expect(host.get(Registry, { strict: false }).clients).toBe(host.get(ClientService, { strict: false }));
  });

  itOnServer('of a server that does not answer, and is told in one line', async () => {
    const silent = new URL(database.url);
    silent.port = '1';
    await expect(start(AuthModule.forRoot({ ...OPTIONS, databaseUrl: silent.href }))).rejects.toThrow(
      /^AuthModule: databaseUrl cannot use the \w+ database: .*ECONNREFUSED.*$/,
    );
  });
});

describe('a file that a host names', () => {
  it('is made with its folder, for its owner alone', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'own-'));
    const file = join(dir, 'data/auth.sqlite');
    const auth = AuthModule.forRoot({ ...OPTIONS, databaseUrl: `sqlite:${file}` });
    const app = (await Test.createTestingModule({ imports: [auth] }).compile()).createNestApplication();
    await app.init();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await app.close();
    rmSync(dir, { recursive: true });
  });
});

it.each<[string, { databaseUrl?: string; dataSource?: string }, string]>([
  [
    'neither a URL nor a data source',
    {},
    'AuthModule: there is no TypeORM data source: import TypeOrmModule.forRoot(…), or set databaseUrl',
  ],
  [
    'a data source that there is not',
    { dataSource: 'main' },
    'AuthModule: there is no TypeORM data source called main: import TypeOrmModule.forRoot(…), or set databaseUrl',
  ],
  [
    'no URL of a database',
    { databaseUrl: 'oracle:thing' },
    'AuthModule: databaseUrl must be sqlite:<file>, postgres://<user>@<host>/<database> or mysql://…',
  ],
  ['a folder', { databaseUrl: `sqlite:${tmpdir()}` }, `AuthModule: databaseUrl ${tmpdir()} is a folder`],
])('a host that names %s is told so in one line', async (_, named, line) => {
  const auth = AuthModule.forRoot({ ...OPTIONS, ...named });
  await expect(Test.createTestingModule({ imports: [auth] }).compile()).rejects.toThrow(line);
});
