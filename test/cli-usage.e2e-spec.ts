import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli, type Env, folder } from './process.js';

describe('a command that is used wrongly', () => {
  const home = folder();
  const run = (args: string[], input?: string) => cli(home.dir, args, { input });
  beforeAll(async () => void (await run(['database', 'migrate'])));
  afterAll(() => home.remove());

  it.each([
    [['clinets', 'list'], "nest-auth: unknown command 'clinets'\n(Did you mean clients?)\n"],
    [['clients', 'list', '--frobnicate'], "nest-auth: unknown option '--frobnicate'\n"],
    [['clients', 'create'], "nest-auth: missing required argument 'id'\n"],
    [['sessions', 'list'], "nest-auth: required option '--user <username>' not specified\n"],
    [['sessions', 'revoke'], 'nest-auth: name a session, or --user or --client or both\n'],
    [['clients', 'create', 'zwölf'], 'nest-auth: id: must be 1 to 128 printable ASCII characters\n'],
    [['clients', 'create', 'x', '--public', '--secret-stdin'], 'nest-auth: a public client has no secret\n'],
    [['clients', 'create', 'x', '--grants', 'implicit'], 'nest-auth: there is no grant type implicit\n'],
    [['users', 'create', 'alice', '--password-stdin'], 'nest-auth: password: is empty\n'],
  ])('%j fails with one message on standard error and exit code 1', async (args, stderr) => {
    expect(await run(args)).toEqual({ code: 1, signal: null, stdout: '', stderr });
  });

  it.each([
    ['31 characters', 'x'.repeat(31)],
    ['a line break', `${'x'.repeat(32)}\ny`],
  ])('clients create refuses a secret of %s', async (_, own) => {
    const refused = await run(['clients', 'create', 'x', '--secret-stdin'], own);
    const stderr = 'nest-auth: secret: must be 32 to 256 printable ASCII characters\n';
    expect(refused).toEqual({ code: 1, signal: null, stdout: '', stderr });
  });

  it.each([
    [['--redirect-uri', 'https://a.example/#x'], 'redirect_uris: must not have a fragment'],
    [
      ['--redirect-uri', 'https://a.example/', '--redirect-uri', 'javascript:alert(1)'],
      'redirect_uris: must be https, or a private-use scheme such as com.example.app:',
    ],
    [['--post-logout-redirect-uri', 'https://*.a.example/'], 'post_logout_redirect_uris: must not have a wildcard'],
    [['--scopes', 'a "b"'], 'scopes: must be scope tokens (RFC 6749 §3.3), without spaces'],
    [['--scopes', 'a', '--default-scope', 'a b'], 'default_scope: must be part of scopes'],
    [['--name', 'two\nlines'], 'name: must not contain control characters'],
    [['--jwks-uri', 'http://a.example/'], 'jwks_uri: must be an https URL without credentials and fragment'],
  ])('clients create %j says what is wrong with which field', async (options, problem) => {
    const refused = await run(['clients', 'create', 'x', ...options]);
    expect(refused).toEqual({ code: 1, signal: null, stdout: '', stderr: `nest-auth: ${problem}\n` });
  });

  it.each([
    ['--access-token-ttl', '5'],
    ['--refresh-token-ttl', '-5'],
  ])('clients create refuses %s %s', async (option, value) => {
    const refused = await run(['clients', 'create', 'x', option, value]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`^nest-auth: option '${option} <[^\n]+ is invalid. [^\n]+\\.\n$`));
  });

  it('pages export writes our templates into a folder, and over none', async () => {
    const exported = await run(['pages', 'export', 'mine']);
    expect(exported).toEqual({
      code: 0,
      signal: null,
      stdout: '12 templates and style.css written to mine\n',
      stderr: '',
    });
    expect(readFileSync(join(home.dir, 'mine/layout.eta'), 'utf8')).toMatch(/^<!doctype html>/);
    const again = await run(['pages', 'export', 'mine']);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/^nest-auth: EEXIST: .*layout\.eta'\n$/) });
  });

  it('--version says which release it is', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[['--help']], [['clients', 'create', '--help']]])('%j is help', async (args) => {
    const help = await run(args);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: nest-auth /);
  });

  it.each<[string, Env]>([
    ['AUTH_SECRET', { AUTH_SECRET: 'too short' }],
    ['AUTH_SECRET', { AUTH_SECRET: '', NODE_ENV: 'production' }],
    ['DATABASE_URL', { DATABASE_URL: 'oracle:thing' }],
    ['AUTH_LIMIT_IP', { AUTH_LIMIT_IP: 'lots' }],
  ])('says in one line that %s is wrong: %j', async (name, env) => {
    const refused = await cli(home.dir, ['clients', 'list'], { env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`^nest-auth: ${name}: [^\n]+\n$`));
  });
});
