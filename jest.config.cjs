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
/** What has no database to do with, or only the file of one. */
const ONCE = [
  ...['sqlite/', 'package', 'docs', 'readme', 'faults', 'settings', 'jwks-fetcher', 'exchange'],
  ...['stopping', 'log', 'wings', 'chaos', 'protection/'],
];
module.exports = {
  testTimeout: 30_000, // jest reads it here alone, not in a project
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', 'ormconfig.ts', '!src/*/main.ts'],
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    { ...e2e, displayName: 'e2e' },
    ...ENGINES.filter(([, url]) => url).map(([displayName, url]) => ({
      ...e2e,
      displayName,
      globals: { DATABASE_SERVER: url },
      testPathIgnorePatterns: ONCE.map((name) => `<rootDir>/test/${name}`),
    })),
  ],
};
