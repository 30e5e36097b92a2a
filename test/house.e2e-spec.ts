import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { AuthDatabase } from '../src/base/database/auth-database.js';
import { authMigrations } from '../src/wings.js';
import { migrator } from './databases.js';
import { startService } from './service.js';

const ROOT = resolve(__dirname, '..');
const SRC = join(ROOT, 'src');

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

const sources = filesBelow(SRC).filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));

function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/from '(\.{1,2}\/[^']+)'/g);
  return [...found].map((match) => resolve(file, '..', match[1]!.replace(/\.js$/, '.ts')));
}

/** The floors, top to bottom. Wings on one floor don't know each other; a wing knows those below it. */
const FLOORS = [
  ['cli', 'testing'],
  ['service'],
  ['index.ts', 'auth.module.ts', 'host-providers.ts', 'wings.ts', 'optional-wings.ts'],
  ['cloudbase', 'oauth'],
  ['protection'],
  ['token'],
  ['core'],
  ['base'],
];
/** What stands beside auth.module.ts: the root of a service that issues no tokens. */
const OTHER_ROOT = 'protection/resource-server/resource-server.module.ts';
const wingOf = (file: string): string => relative(SRC, file).split(sep)[0]!;
const floorOf = (file: string): number => FLOORS.findIndex((wings) => wings.includes(wingOf(file)));
/** What puts the wings together stands on one floor, file beside file. */
const isTop = (file: string): boolean => wingOf(file).endsWith('.ts');

describe('the house', () => {
  it('has wings, and nothing beside them but what puts them together', () => {
    expect(readdirSync(SRC).sort()).toEqual(FLOORS.flat().sort());
  });

  it('has imports that only go down, and none between wings of one floor', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter((imported) => imported.startsWith(SRC) && wingOf(imported) !== wingOf(file))
        .filter((imported) => !(isTop(file) && isTop(imported)) && floorOf(imported) <= floorOf(file))
        .map((imported) => `${relative(SRC, file)} → ${relative(SRC, imported)}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(FLOORS.slice(3).flat())('has a Nest module that names what is in the wing %s', (wing) => {
    const modules = filesBelow(join(SRC, wing)).filter((file) => file.endsWith('.module.ts'));
    const named = modules.map((file) => relative(SRC, file)).filter((file) => file !== OTHER_ROOT);
    expect(named).toEqual([join(wing, `${wing}.module.ts`)]);
  });

  it('has no circles', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const imported of importsOf(file)) visit(imported, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(circles).toEqual([]);
  });

  it.each([
    ['no grant imports a grant or the registry', /\/grants\//, /\/grants\/|^token\/grant\.service/],
    ['clients do not know users', /^core\/clients\//, /^core\/users\//],
    ['users do not know clients', /^core\/users\//, /^core\/clients\//],
    ['only the module of their wing lists the handlers', /^(?!\w+\/\w+\.module\.ts|\w+\/grants\/)/, /\/grants\//],
  ])('%s', (_, from, to) => {
    const wrong = sources
      .filter((file) => from.test(relative(SRC, file)))
      .flatMap((file) => importsOf(file).map((imported) => [relative(SRC, file), relative(SRC, imported)]))
      .filter(([, imported]) => to.test(imported!));
    expect(wrong).toEqual([]);
  });

  it('registers nothing global', () => {
    const library = sources.filter((file) => !['cli', 'service'].includes(wingOf(file)));
    const globals = library.filter((file) =>
      /@Global\(|APP_(FILTER|GUARD|PIPE|INTERCEPTOR)|forwardRef/.test(readFileSync(file, 'utf8')),
    );
    expect(globals).toEqual([]);
  });

  it('knows Express and Fastify in one place each', () => {
    const express =
      /from '(express|node:https?)'|@(Req|Res)\(\) \w|\.switchToHttp\b|\.(locals|originalUrl|headersDistinct|writeHead|append)\b|request\.(ip|route|is|accepts\w*)\b/;
    const knowing = sources
      .map((file) => relative(SRC, file))
      .filter((file) => /^(base|core|token|protection|oauth|cloudbase)\//.test(file))
      .filter((file) => express.test(readFileSync(join(SRC, file), 'utf8')));
    expect(knowing).toEqual([
      'base/http/express-exchange.ts',
      'base/http/fastify-exchange.ts',
      'core/clients/jwks-fetcher.ts', // as a client of others
    ]);
  });

  it('has entities and migrations that agree', async () => {
    const service = await startService();
    const { upQueries } = await service.app.get(AuthDatabase).dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    await service.close();
  });

  it('has migrations that can be undone and done again', async () => {
    const service = await startService();
    const database = await migrator(service.databaseUrl);
    for (let n = authMigrations.length; n > 0; n--) await database.undoLastMigration();
    const runner = database.createQueryRunner();
    const left = [];
    for (const { tablePath } of database.entityMetadatas) left.push(await runner.hasTable(tablePath));
    await runner.release();
    expect(left).not.toContain(true);
    await database.runMigrations();
    await database.destroy();
    await service.close();
  });

  it('has migrations that take over the tables of an earlier release, which made them under other names', async () => {
    const service = await startService();
    const database = await migrator(service.databaseUrl);
    await database.query("DELETE FROM migrations WHERE name LIKE 'CreateBrowserTables%' OR name LIKE 'CreateVerif%'");
    expect((await database.runMigrations()).map(({ name }) => name)).toEqual([
      'CreateBrowserTables1763870000001',
      'CreateVerifications1763880000001',
    ]);
    await database.destroy();
    await service.close();
  });
});
