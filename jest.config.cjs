// CommonJS jest: NO --experimental-vm-modules. Everything (our TS and the ESM-only deps) is turned into CJS by swc.
const swc = (syntax) => [
  '@swc/jest',
  {
    swcrc: false,
    sourceMaps: 'inline',
    module: { type: 'commonjs' },
    jsc: {
      target: 'es2022',
      parser: syntax === 'ts' ? { syntax: 'typescript', decorators: true } : { syntax: 'ecmascript' },
      transform:
        syntax === 'ts' ? { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false } : {},
      keepClassNames: true,
    },
  },
];
const common = {
  testEnvironment: 'node',
  rootDir: __dirname,
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': swc('ts'), '^.+\\.m?js$': swc('js') },
  // the packages that ship ESM only (Nest 12 itself, jose, ...)
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs/|jose/|oauth4webapi/|openid-client/|file-type/|strtok3/|token-types/|uint8array-extras/|@tokenizer/|@borewit/))',
  ],
};
const e2e = {
  ...common,
  testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'],
  globalSetup: '<rootDir>/test/global-setup.cjs',
  globalTeardown: '<rootDir>/test/global-teardown.cjs',
};
/** Where the same tests run once more, on databases that they make there. */
const ENGINES = [
  ['postgres', process.env.TEST_POSTGRES_URL],
  ['mysql', process.env.TEST_MYSQL_URL],
];
/**
 * What has no database to do with, or only the file of one; and what a browser makes of pages, which others ask for, too.
 */
const ONCE = [
  ...['sqlite/', 'package', 'docs', 'readme', 'faults', 'settings', 'jwks-fetcher', 'exchange'],
  ...['stopping', 'log', 'wings', 'chaos', 'cli-usage', 'protection/', 'browser', 'examples', 'nest-new'],
];
/** What a client sees of the module wherever it runs. What is left out is about the service, its server and its log. */
const ON_FASTIFY = [
  ...['authoriz*', 'captcha', 'client-authentication', 'client-lib*', 'clients', 'clients/*', 'cloudbase/*', 'device*'],
  ...['discovery', 'dpop*', 'introspection', 'let-in', 'oauth-dialect', 'openid*', 'pages', 'password*', 'private*'],
  ...['protection', 'pushed*', 'questions', 'refresh*', 'revocation', 'scope', 'sign-out', 'user*', 'hostile/body'],
  ...['hostile/budgets', 'hostile/client*', 'hostile/enumeration', 'hostile/fuzz', 'hostile/grants'],
];
module.exports = {
  // jest reads these here alone, not in a project
  testTimeout: 60_000,
  maxWorkers: '100%', // much of a test's time is a process that it has started
  workerIdleMemoryLimit: '800MB', // of each file something stays, which is dear to collect
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', 'ormconfig.ts', '!src/*/main.ts'],
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    { ...e2e, displayName: 'e2e' },
    ...[process.env.TEST_FASTIFY].filter(Boolean).map(() => ({
      ...e2e,
      displayName: 'fastify',
      testMatch: ON_FASTIFY.map((name) => `<rootDir>/test/${name}.e2e-spec.ts`),
      globals: { PLATFORM: 'fastify' },
    })),
    ...[process.env.TEST_HOSTS].filter(Boolean).map(() => ({
      ...e2e,
      displayName: 'hosts',
      testMatch: ['<rootDir>/test/host/*.hosts-spec.ts'],
    })),
    ...ENGINES.filter(([, url]) => url).map(([displayName, url]) => ({
      ...e2e,
      displayName,
      globals: { DATABASE_SERVER: url },
      testPathIgnorePatterns: ONCE.map((name) => `<rootDir>/test/${name}`),
    })),
  ],
};
