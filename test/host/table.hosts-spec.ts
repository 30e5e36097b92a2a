import { empty } from '../database-server.cjs';
import { type Host, install, type Installation, type ModuleType } from './installation.js';
import { JOURNEY } from './journey.js';

jest.setTimeout(120_000); // processes are started

const POSTGRES = process.env['TEST_POSTGRES_URL'];
const BETTER_SQLITE3 = process.env['TEST_BETTER_SQLITE3'];

const NESTS = ['11', '12'];
const PLATFORMS = ['express', 'fastify'];
/** TypeORM, and what it opens a file with. */
const ORMS = [
  ['0.3', 'sqlite3', 'sqlite'],
  ['1', 'better-sqlite3', 'better-sqlite3'],
] as const;
const TYPES: ModuleType[] = ['commonjs', 'module'];

const HOSTS = NESTS.flatMap((nest) => PLATFORMS.flatMap((on) => ORMS.map((orm) => [nest, on, ...orm] as const)));

/** All hosts of test/host there can be, each installed from the tarball into a folder of its own. */
describe.each(HOSTS)('Nest %s on %s with TypeORM %s', (nest, platform, orm, sqlitePackage, sqliteDriver) => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await install([
      ...['core', 'common', `platform-${platform}`].map((name) => `@nestjs/${name}@${nest}`),
      ...[
        '@nestjs/typeorm',
        `typeorm@${orm}`,
        sqlitePackage === 'sqlite3' ? 'sqlite3@6.0.1' : 'better-sqlite3@12',
        'pg',
      ],
    ]);
  }, 300_000);
  afterAll(() => installation?.remove());

  it('type-checks', async () => {
    expect(await installation.compile()).toBe('');
  });

  const databases = [
    ...(sqlitePackage === 'sqlite3' || BETTER_SQLITE3 ? ['SQLite'] : []),
    ...(POSTGRES ? ['PostgreSQL'] : []),
  ];
  describe.each(TYPES.flatMap((type) => databases.map((database) => [type, database] as const)))(
    'as %s on %s',
    (type, database) => {
      let host: Host;

      beforeAll(async () => {
        const environment = { HOST_PLATFORM: platform, HOST_SQLITE_DRIVER: sqliteDriver };
        if (database === 'SQLite') host = await installation.start(type, environment);
        else host = await installation.start(type, { ...environment, HOST_DATABASE: await emptyDatabase() });
      });
      afterAll(() => host?.stop());

      it.each(JOURNEY)('goes through %s', (_, steps) => steps(host));
    },
  );
});

async function emptyDatabase(): Promise<string> {
  const url = new URL(POSTGRES!);
  url.pathname = `/auth_test_${process.env['AUTH_TEST_RUN']}_hosts`; // dropped with those of the run
  await empty(url);
  return url.href;
}
