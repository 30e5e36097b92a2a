import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { DataSource } from 'typeorm';
import { authMigrations } from '../src/schema.js';
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

/** The floors, top to bottom; a file belongs to the first line that begins its path. Imports only go down. */
const FLOORS = [
  ['main.ts', 'cli.ts', 'cli/', 'index.ts'],
  ['server.ts', 'demo.ts', 'logging/'],
  ['app.module.ts', 'settings.ts', 'secret-file.ts', 'health/', 'database/open.ts', 'database/orm-options.ts'],
  ['auth.module.ts'],
  ['database/schema.ts', 'sweeper.ts'],
  [
    'authorization/authorization.controller.ts',
    'authorization/pushed-request.controller.ts',
    'browser/sign-out.controller.ts',
    'device/device-page.controller.ts',
    'token/token.controller.ts',
    'token/oauth-token.controller.ts',
    'token/grant.service.ts',
    'token/parameters.guard.ts',
    'keys/jwks.controller.ts',
    'protection/',
    'discovery/',
    'device/device-authorization.controller.ts',
    'revocation/revocation.controller.ts',
    'introspection/introspection.controller.ts',
    'userinfo/',
    'cloudbase/',
  ],
  ['browser/page.guard.ts'],
  ['accounts/', 'grants/', 'throttling/'],
  ['token/grant.ts', 'token/token-issuer.ts', 'token/token-response.ts'],
  [
    'authorization/authorization-answers.ts',
    'authorization/authorization-exception.filter.ts',
    'authorization/authorization-flow.service.ts',
    'authorization/metadata.ts',
    'browser/sign-in.service.ts',
  ],
  ['pages/'],
  ['browser/browser.service.ts'],
  ['revocation/', 'introspection/'],
  ['sessions/access-token.service.ts'],
  ['sessions/', 'keys/', 'authorization/', 'browser/', 'device/', 'verification/'],
  ['clients/', 'users/', 'dpop/'],
  ['replay/'],
  ['errors/auth-exception.filter.ts'],
  ['http/', 'database/', 'crypto/'],
  ['discovery/server-metadata.ts', 'errors/', 'auth.options.ts', 'clock.ts', 'audit.ts'],
];
const floorOf = (file: string): number => {
  const path = relative(SRC, file);
  // the longest prefix wins: errors/auth-exception.filter.ts stands above errors/
  const [floor] = FLOORS.flatMap((paths, i) =>
    paths.filter((p) => path.startsWith(p)).map((p) => [i, p.length] as const),
  )
    .sort((a, b) => b[1] - a[1])
    .map(([i]) => i);
  return floor ?? -1;
};

describe('the house', () => {
  it('has a floor for every file', () => {
    expect(sources.filter((file) => floorOf(file) === -1).map((file) => relative(SRC, file))).toEqual([]);
  });

  it('has imports that only go down', () => {
    const up = sources.flatMap((file) =>
      importsOf(file)
        .filter((imported) => imported.startsWith(SRC) && floorOf(imported) < floorOf(file))
        .map((imported) => `${relative(SRC, file)} → ${relative(SRC, imported)}`),
    );
    expect(up).toEqual([]);
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
    ['no grant imports a grant or the registry', /^grants\//, /^(grants\/|token\/grant\.service)/],
    ['clients do not know users', /^clients\//, /^users\//],
    ['users do not know clients', /^users\//, /^clients\//],
    ['only auth.module.ts lists the handlers', /^(?!auth\.module\.ts|grants\/)/, /^grants\//],
  ])('%s', (_, from, to) => {
    const wrong = sources
      .filter((file) => from.test(relative(SRC, file)))
      .flatMap((file) => importsOf(file).map((imported) => [relative(SRC, file), relative(SRC, imported)]))
      .filter(([, imported]) => to.test(imported!));
    expect(wrong).toEqual([]);
  });

  it('registers nothing global', () => {
    const library = sources.filter(
      (file) => floorOf(file) >= FLOORS.findIndex((paths) => paths.includes('auth.module.ts')),
    );
    const globals = library.filter((file) =>
      /@Global\(|APP_(FILTER|GUARD|PIPE|INTERCEPTOR)|forwardRef/.test(readFileSync(file, 'utf8')),
    );
    expect(globals).toEqual([]);
  });

  it('knows Express in one place', () => {
    const express =
      /from '(express|node:https?)'|@(Req|Res)\(\) \w|getRe(quest|sponse)\b|\.(locals|originalUrl|headersDistinct|writeHead|append)\b|request\.(ip|route|is|accepts\w*)\b/;
    const knowing = sources
      .map((file) => relative(SRC, file))
      .filter((file) => /^(base|core|token|protection|oauth|cloudbase)\//.test(file))
      .filter((file) => express.test(readFileSync(join(SRC, file), 'utf8')));
    expect(knowing).toEqual([
      'base/http/express-exchange.ts',
      'core/clients/jwks-fetcher.ts', // as a client of others
    ]);
  });

  it('has entities and migrations that agree', async () => {
    const service = await startService();
    const { upQueries } = await service.app.get(DataSource).driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    await service.close();
  });

  it('has migrations that can be undone and done again', async () => {
    const service = await startService();
    const database = service.app.get(DataSource);
    for (let n = authMigrations.length; n > 0; n--) await database.undoLastMigration();
    expect(await database.query("SELECT name FROM sqlite_master WHERE name LIKE 'auth_%'")).toEqual([]);
    await database.runMigrations();
    await service.close();
  });
});
