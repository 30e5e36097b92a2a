import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** What a snippet takes from elsewhere without saying so. */
const IMPORTS: Record<string, string[]> = {
  '@nestjs/common': ['Injectable', 'Module'],
  '@nestjs/testing': ['Test'],
  '@nestjs/throttler': ['getStorageToken'],
  '@nestjs/typeorm': ['TypeOrmModule'],
  'class-validator': ['IsDefined', 'MaxLength'],
  'nest-auth-service': [
    ...[
      'AuthError',
      'AuthFeature',
      'AuthModule',
      'authEntities',
      'authMigrations',
      'authSchema',
      'ClaimsContext',
      'Clock',
    ],
    ...['ErrorTable', 'Grant', 'GrantHandler', 'Inbox', 'OwnClaim', 'OwnClaims', 'Party', 'RedisThrottlerStorage'],
    ...['TokenIssuer', 'TokenResponse', 'User', 'Users', 'VerificationSender'],
  ],
  'nest-auth-service/testing': ['AuthTestingModule', 'TestClock', 'tokenFor'],
};

/** What stands for the reader's own. */
const YOURS = [
  'declare class Account { id: string; roles: string[]; isBlocked: boolean; name: string; version: number; }',
  'declare class Accounts { withPassword(name: string, typed: string): Promise<Account | undefined>; get(id: string): Promise<Account | undefined>; }',
  'declare class TenantService { of(sub: string): Promise<string>; }',
  ...['AccountsModule', 'TenantsModule', 'HostAuthModule', 'OrdersModule'].map((name) => `declare class ${name} {}`),
  'declare class LottoGrant {}',
  'declare const accountMigrations: (new () => import("typeorm").MigrationInterface)[];',
  'declare const options: { issuer: string; secret: string };',
  "declare const database: { type: 'postgres'; url: string };",
  'declare const auth: import("@nestjs/common").DynamicModule;',
  'declare const wins: (ticket: string) => boolean;',
  'declare const ownerOf: (ticket: string) => string;',
];

/** The README's snippets about the module, each a file that compiles in an application as `nest new` makes it. */
export function snippets(): Record<string, string> {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.slice(readme.indexOf('\n## As a module')).matchAll(/^```ts\n([^]*?)^```$/gm)];
  const storage = readme.match(/^```ts\n(const limits = [^]*?)^```$/m)!;
  return Object.fromEntries(
    [storage, ...blocks].map(([, block], i) => [
      `snippet-${i + 1}.ts`,
      `${importsOf(block!)}\n${yoursOf(block!)}\n${whole(block!)}`,
    ]),
  );
}

function importsOf(block: string): string {
  return Object.entries(IMPORTS)
    .map(([from, names]) => [from, names.filter((name) => uses(block, name) && !brings(block, name))] as const)
    .filter(([, names]) => names.length > 0)
    .map(([from, names]) => `import { ${names.join(', ')} } from '${from}';`)
    .join('\n');
}

function yoursOf(block: string): string {
  const needed = (line: string) => {
    const [, name] = /^declare (?:class|const) (\w+)/.exec(line)!;
    return (uses(block, name!) && !brings(block, name!)) || (name === 'Account' && uses(block, 'Accounts'));
  };
  return YOURS.filter(needed).join('\n');
}

/** Modules in a row are those of an array. */
function whole(block: string): string {
  return /^\w+\.forRoot\(/.test(block) && block.trimEnd().endsWith(',')
    ? `export const modules = [\n${block}];`
    : block;
}

const uses = (block: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(block);
const brings = (block: string, name: string): boolean =>
  new RegExp(`^(export )?(class|const) ${name}\\b|^import [^;]*\\b${name}\\b[^;]*;`, 'm').test(block);
