import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import request from 'supertest';
import { DataSource, type DataSourceOptions, DefaultNamingStrategy } from 'typeorm';
import { AuthModule, authSchema, ClientService, Clock, Sweeper, UserService } from '../src/index.js';
import { AuthDatabase } from '../src/base/database/auth-database.js';
import { dataSourceOptions } from '../src/base/database/own/data-source-options.js';
import { ENGINE, onSqlite, takeDatabase, type TestDatabase } from './databases.js';
import { FakeClock, ISSUER, SECRET } from './service.js';
import { CALLBACK } from './visitor.js';

/** Shouts, and takes no notice of what an entity wants to be called. */
class LoudNames extends DefaultNamingStrategy {
  override tableName(_: string, given: string): string {
    return `T_${given.toUpperCase()}`;
  }
  override columnName(property: string): string {
    return `C_${property.toUpperCase()}`;
  }
}

const WAYS: [string, object][] = [
  ['as it is', {}],
  ['with an entityPrefix', { entityPrefix: 'app_' }],
  ['with a naming strategy', { namingStrategy: new LoudNames() }],
  ['with both', { entityPrefix: 'app_', namingStrategy: new LoudNames() }],
  ...(ENGINE === 'postgres'
    ? ([
        ['with a schema', { schema: 'login' }],
        ['with all three', { schema: 'login', entityPrefix: 'app_', namingStrategy: new LoudNames() }],
      ] as [string, object][])
    : []),
];

describe.each(WAYS)("on a host's data source, %s", (_, options) => {
  let database: TestDatabase;
  let tables: DataSourceOptions;

  beforeEach(async () => {
    database = await takeDatabase();
    tables = {
      ...(await dataSourceOptions(database.url, authSchema())),
      migrationsTableName: 'host_migrations',
      ...options,
    };
    const clean = await new DataSource(tables).initialize();
    if ('schema' in options) await clean.query('DROP SCHEMA IF EXISTS login CASCADE; CREATE SCHEMA login');
    else await clean.dropDatabase(); // earlier tests have left tables there
    await clean.destroy();
  });
  afterEach(async () => {
    const clean = await new DataSource(tables).initialize();
    if ('schema' in options) await clean.query('DROP SCHEMA login CASCADE');
    else await clean.dropDatabase();
    await clean.destroy();
    database.release();
  });

  it.each([
    ['made by its migrations', { migrationsRun: true }],
    ['made by synchronize', { synchronize: true }],
  ])('our tables, %s, serve every kind of request', async (__, made) => {
    const clock = new FakeClock();
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...tables, ...made }),
        AuthModule.forRoot({ issuer: ISSUER, secret: SECRET, providers: [{ provide: Clock, useValue: clock }] }),
      ],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const post = async (path: string, body: object) => (await request(url).post(path).send(body)).body as object;
    if ('synchronize' in made) {
      // a row that a migration makes, as whoever synchronizes has to
      await app.get(DataSource).getRepository('Heartbeat').insert({ id: 1, beat_at: 0 });
    } else {
      const { upQueries } = await app.get(DataSource).driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]); // migrations and entities agree
    }

    const { secret } = await app.get(ClientService).create({ id: 'backend', grant_types: ['client_credentials'] });
    await app.get(ClientService).create({
      id: 'app',
      public: true,
      grant_types: ['password', 'refresh_token', 'anonymous'],
      scopes: ['openid'],
      default_scope: ['openid'],
      redirect_uris: [CALLBACK],
    });
    await app.get(UserService).create({ username: 'ada', password: 'correct horse' });
    await expect(app.get(UserService).create({ username: 'Ada', password: 'x' })).rejects.toThrow('USERNAME_TAKEN');
    const credentials = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    const first = (await post('/auth/v1/token', credentials)) as { refresh_token: string; access_token: string };
    expect(first).toHaveProperty('refresh_token');
    const second = (await post('/auth/v1/token', {
      client_id: 'app',
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token,
      scope: 'openid',
    })) as typeof first;
    expect(second).toHaveProperty('refresh_token');
    const backend = { client_id: 'backend', client_secret: secret };
    const asked = { ...backend, token: second.access_token };
    expect(await post('/oauth2/introspect', asked)).toMatchObject({ active: true });
    const anonymous = await request(url)
      .post('/auth/v1/token')
      .set('x-device-id', 'phone')
      .send({ client_id: 'app', grant_type: 'anonymous' });
    expect(anonymous.status).toBe(200);
    await post('/oauth2/revoke', { client_id: 'app', token: second.refresh_token });
    expect(await post('/oauth2/introspect', asked)).toEqual({ active: false });
    clock.advance(400 * 86_400);
    expect(await app.get(Sweeper).sweep()).toBeGreaterThanOrEqual(3); // two sessions and an anonymous user
    await app.close();
  });
});

describe("a host's data source that is of no use", () => {
  it('is refused in one line that lists what works', async () => {
    const host = { options: { type: 'mssql' } } as DataSource;
    await expect(AuthDatabase.open(host, [])).rejects.toThrow(
      /^nest-auth works on data sources of the types postgres, mysql, mariadb, sqlite, better-sqlite3; not on mssql$/,
    );
  });
});

describe('what is in our tables', () => {
  it('is compared byte by byte: neither case, nor accents, nor blanks at the end are one', async () => {
    const database = await takeDatabase();
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...(await dataSourceOptions(database.url, authSchema())), migrationsRun: true }),
        AuthModule.forRoot({ issuer: ISSUER, secret: SECRET }),
      ],
    }).compile();
    await module.init();
    const [clients, users] = [module.get(ClientService), module.get(UserService)];
    for (const id of ['web', 'WEB', 'Web']) await clients.create({ id, public: true });
    expect(await clients.load('wEB')).toBeUndefined();
    expect(await clients.load('web ')).toBeUndefined();
    expect((await clients.load('WEB'))?.client.id).toBe('WEB');
    for (const username of ['alice', 'ålice', 'alicé']) await users.create({ username, password: 'correct horse' });
    expect((await users.load('ålice'))?.username).toBe('ålice');
    expect(await users.load('älice')).toBeUndefined();
    await module.close();
    database.release();
  });
});

if (onSqlite) {
  const BETTER = process.env['TEST_BETTER_SQLITE3'];
  (BETTER === undefined ? describe.skip : describe)('on a data source of better-sqlite3', () => {
    it('a session is opened, refreshed by 50 at once, revoked and swept', async () => {
      const database = await takeDatabase();
      const clock = new FakeClock();
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const driver: unknown = require(BETTER!);
      const module = await Test.createTestingModule({
        imports: [
          TypeOrmModule.forRoot({
            type: 'better-sqlite3',
            driver,
            database: database.file,
            enableWAL: true,
            ...authSchema(),
            migrationsRun: true,
          }),
          AuthModule.forRoot({ issuer: ISSUER, secret: SECRET, providers: [{ provide: Clock, useValue: clock }] }),
        ],
      }).compile();
      const app = module.createNestApplication({ logger: false });
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      const post = (path: string, body: object) => request(url).post(path).send(body);
      const { upQueries } = await app.get(DataSource).driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
      await app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password', 'refresh_token'] });
      await app.get(UserService).create({ username: 'ada', password: 'correct horse' });
      const credentials = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
      const { refresh_token } = (await post('/auth/v1/token', credentials)).body as { refresh_token: string };
      const renewed = await Promise.all(
        Array.from({ length: 50 }, () =>
          post('/auth/v1/token', { client_id: 'app', grant_type: 'refresh_token', refresh_token }),
        ),
      );
      expect(new Set(renewed.map(({ body }) => (body as { refresh_token: string }).refresh_token)).size).toBe(1);
      const [last] = renewed.map(({ body }) => (body as { refresh_token: string }).refresh_token);
      await post('/oauth2/revoke', { client_id: 'app', token: last });
      const refused = await post('/auth/v1/token', {
        client_id: 'app',
        grant_type: 'refresh_token',
        refresh_token: last,
      });
      expect(refused.body).toMatchObject({ error: 'invalid_grant' });
      clock.advance(400 * 86_400);
      expect(await app.get(Sweeper).sweep()).toBeGreaterThanOrEqual(1);
      await app.close();
      database.release();
    });
  });
}
