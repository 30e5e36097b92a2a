import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../src/service/settings.js';
import { SECRET } from './service.js';

type Env = Record<string, string>;

const production = { NODE_ENV: 'production', AUTH_SECRET: SECRET, AUTH_ISSUER: 'https://auth.example.com' };

function refusal(env: Env): string | undefined {
  try {
    readSettings(env);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the settings', () => {
  it.each<[Env, string]>([
    [{ NODE_ENV: 'prod' }, 'NODE_ENV: must be one of development, test, production'],
    [{ NODE_ENV: 'Production' }, 'NODE_ENV: must be one of development, test, production'],
    [{ NODE_ENV: 'staging' }, 'NODE_ENV: must be one of development, test, production'],
    [{ AUTH_ISUER: 'https://a.example' }, 'AUTH_ISUER: there is no such setting; did you mean AUTH_ISSUER?'],
    [{ auth_secret: SECRET }, 'auth_secret: there is no such setting; did you mean AUTH_SECRET?'],
    [{ AUTH_LIMIT_USER: 'off' }, 'AUTH_LIMIT_USER: there is no such setting; did you mean AUTH_LIMIT_IP?'],
    [{ AUTH_PORT: '3000' }, expect.stringMatching(/^AUTH_PORT: there is no such setting/) as string],
    [{ HOST: '999.1.1.1' }, expect.stringMatching(/^HOST: must be an address/) as string],
    [{ HOST: '127.0.0' }, expect.stringMatching(/^HOST: must be an address/) as string],
    [{ HOST: '[::1]' }, expect.stringMatching(/^HOST: must be an address/) as string],
    [{ HOST: 'http://localhost' }, expect.stringMatching(/^HOST: must be an address/) as string],
    ...(
      [
        ['PORT', 'http'],
        ['PORT', '70000'],
        ['DATABASE_URL', 'oracle:thing'],
        ['REDIS_URL', 'localhost:6379'],
        ['REDIS_URL', 'http://:password@localhost'],
        ['REDIS_URL', 'redis://:password@localhost/zero'],
        ['REDIS_URL', 'redis://:password@localhost?commandTimeout=1'],
        ['LOG_LEVEL', 'loud'],
        ['AUTH_ISSUER', 'not a url'],
        ['AUTH_ISSUER', 'http://:password@localhost'],
        ['AUTH_SECRET', 'too short a secret'],
        ['AUTH_ALLOW_HTTP_ISSUER', 'yes'],
        ['AUTH_SIGNING_ALG', 'none'],
        ['AUTH_SECRET_PREVIOUS', 'too short a secret'],
        ['AUTH_KEY_ROTATION', '90d'],
        ['AUTH_KEY_ROTATION', '3651'],
        ['AUTH_ACCESS_TOKEN_TTL', '1'],
        ['AUTH_REFRESH_TOKEN_TTL', 'a month'],
        ['AUTH_REFRESH_RETRY_WINDOW', '-1'],
        ['AUTH_LIMIT_IP', '300'],
        ['AUTH_LIMIT_CLIENT', '0/60'],
        ['AUTH_LIMIT_ACCOUNT', '10/never'],
        ['AUTH_TRUST_PROXY', 'everybody'],
        ['AUTH_CORS_ORIGINS', '*'],
      ] as const
    ).map(([name, value]): [Env, string] => [
      { [name]: value },
      expect.stringMatching(new RegExp(`^${name}: (?!.*(too short a|password)).+$`)) as string,
    ]),
  ])('are refused in one line that begins with the name: %j', (env, line) => {
    expect(refusal(env)).toEqual(line);
    expect(refusal({ ...production, ...env })).toEqual(line);
  });

  it('name what is mistyped before what is missing for that', () => {
    expect(refusal({ NODE_ENV: 'production', AUTH_SECRETT: SECRET })).toMatch(/^AUTH_SECRETT: .* AUTH_SECRET\?$/);
  });

  it('do not mind what Kubernetes and Docker say about a service called auth', () => {
    const links = {
      AUTH_SERVICE_HOST: '10.0.0.7',
      AUTH_SERVICE_PORT: '80',
      AUTH_SERVICE_PORT_HTTP: '80',
      AUTH_PORT: 'tcp://10.0.0.7:80',
      AUTH_PORT_80_TCP: 'tcp://10.0.0.7:80',
      AUTH_PORT_80_TCP_ADDR: '10.0.0.7',
      AUTH_WEB_SERVICE_HOST: '10.0.0.8',
    };
    expect(refusal({ ...production, ...links })).toBeUndefined();
  });

  it.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]', 'auth.localhost'])(
    'let the issuer of production be http at a loopback host: %s',
    (host) => expect(refusal({ ...production, AUTH_ISSUER: `http://${host}:3000` })).toBeUndefined(),
  );

  it.each(['auth.example.com', '10.0.0.7', '127.example.com', 'localhost.example.com', '[::2]'])(
    'want https of the issuer of production otherwise, unless told: %s (RFC 8414 §2)',
    (host) => {
      const env = { ...production, AUTH_ISSUER: `http://${host}` };
      expect(refusal(env)).toMatch(/^AUTH_ISSUER: http:\/\/[^ ]+ must be https where NODE_ENV is production/);
      expect(refusal({ ...env, AUTH_ALLOW_HTTP_ISSUER: 'true' })).toBeUndefined();
      expect(refusal({ ...env, NODE_ENV: 'development' })).toBeUndefined();
    },
  );

  it('want https, too, where the issuer of production follows from HOST', () => {
    expect(refusal({ NODE_ENV: 'production', AUTH_SECRET: SECRET, HOST: '10.0.0.7' })).toMatch(/^AUTH_ISSUER: /);
  });

  it.each([
    'changeme'.repeat(4),
    'change-me-to-something-long-and-secret',
    'your_own_secret_of_32_characters_here',
    'x'.repeat(40),
    '0123456789abcdef0123456789abcdef',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'abcabcabdabcabcabdabcabcabdabcabcabd',
    'secret secret secret secret secret!',
  ])('refuse a secret in production that is easy to guess, say how to make one, and do not repeat it: %s', (secret) => {
    expect(refusal({ ...production, AUTH_SECRET: secret })).toBe(
      'AUTH_SECRET: is too easy to guess; `openssl rand -base64 32` makes one',
    );
  });

  it('take every secret that a machine made, and suggest one where there is none or too short a one', () => {
    for (let n = 0; n < 500; n++) {
      const bytes = randomBytes(32);
      for (const secret of [bytes.toString('base64'), bytes.toString('hex'), bytes.toString('hex').slice(0, 32)]) {
        expect(refusal({ ...production, AUTH_SECRET: secret })).toBeUndefined();
      }
    }
    for (const secret of ['', 'short']) {
      expect(refusal({ ...production, AUTH_SECRET: secret })).toMatch(/^AUTH_SECRET: .*`openssl rand -base64 32`/);
    }
  });

  it('count as not set where they are empty', () => {
    expect(readSettings({ NODE_ENV: '', AUTH_SECRET: ' ', HOST: '' })).toMatchObject({
      production: false,
      host: '127.0.0.1',
      auth: { secret: undefined },
    });
  });

  describe.each([
    ['AUTH_SECRET', 'AUTH_SECRET_FILE', (secret: string | undefined) => ({ auth: { secret } })],
    ['AUTH_SECRET_PREVIOUS', 'AUTH_SECRET_PREVIOUS_FILE', (previousSecret?: string) => ({ auth: { previousSecret } })],
  ])('%s may come from a file', (name, setting, shown) => {
    const NEXT = 'another-secret-of-the-service-9876543210';
    const dir = mkdtempSync(join(tmpdir(), 'settings-'));
    const holding = (text: string): string => {
      const file = join(dir, randomBytes(8).toString('hex'));
      writeFileSync(file, text);
      return file;
    };
    const from = (file: string, more: Env = {}): Env => {
      const { AUTH_SECRET, ...rest } = production;
      return { ...rest, ...(name === 'AUTH_SECRET' ? {} : { AUTH_SECRET }), [setting]: file, ...more };
    };
    afterAll(() => rmSync(dir, { recursive: true }));

    it(`by its name in ${setting}, without the blanks and the line's end around it`, () => {
      expect(readSettings(from(holding(` ${NEXT}\r\n`)))).toMatchObject(shown(NEXT));
    });

    it.each<[string, (file: string) => string, string | undefined]>([
      ['is not there', () => `there is no file ${dir}/none`, undefined],
      ['is empty', (file) => `${file} is empty`, ' \n'],
      ['is too short', (file) => `${file} must hold at least 32 characters`, 'too short a secret\n'],
      ['is easy to guess', () => 'is too easy to guess; `openssl rand -base64 32` makes one', 'changeme'.repeat(4)],
    ])('which is refused in one line that names it, and tells nothing of it, where it %s', (_, problem, text) => {
      const file = text === undefined ? join(dir, 'none') : holding(text);
      expect(refusal(from(file))).toBe(`${setting}: ${problem(file)}`);
    });

    it('which is refused where it is a folder', () => {
      expect(refusal(from(dir))).toBe(`${setting}: ${dir} cannot be read (EISDIR)`);
    });

    it(`which is refused beside ${name}`, () => {
      expect(refusal(from(holding(NEXT), { [name]: NEXT }))).toBe(`${setting}: is set beside ${name}`);
    });
  });

  it('refuse a previous secret that is the secret itself', () => {
    expect(refusal({ ...production, AUTH_SECRET_PREVIOUS: SECRET })).toMatch(
      /^AUTH_SECRET_PREVIOUS: must be another one than the secret/,
    );
  });
});
