import { isIP } from 'node:net';
import { DEFAULT_DATABASE_URL, ormOptions } from './orm-options.js';
import { type AuthOptions, type Limit, OptionError, resolveOptions, type SigningAlg } from '../base/auth.options.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says about the deployed service, checked. */
export interface Settings {
  production: boolean;
  host: string;
  port: number;
  databaseUrl: string;
  logLevel: LogLevel;
  /** Express's `trust proxy`: hops, or addresses; false: the client's address is the socket's. */
  trustProxy: false | number | string[];
  corsOrigins: string[];
  /** Everything for AuthModule; without a secret, one is made and kept in a file. */
  auth: Omit<AuthOptions, 'secret'> & { secret?: string };
}

type Env = Record<string, string | undefined>;

/** One wrong setting, in one line that begins with its name. */
export class SettingsError extends Error {
  constructor(name: string, problem: string) {
    super(`${name}: ${problem}`);
    this.name = 'SettingsError';
  }
}

/**
 * Reads and checks every setting; an empty one counts as not set.
 * @throws SettingsError for the first that is wrong
 */
export function readSettings(env: Env): Settings {
  const read = <T, D>(name: string, fallback: D, parse: (text: string) => T): T | D => {
    const text = env[name]?.trim();
    if (text === undefined || text === '') return fallback;
    try {
      return parse(text);
    } catch (error) {
      throw new SettingsError(name, (error as Error).message);
    }
  };
  const host = read('HOST', '127.0.0.1', String);
  const port = read('PORT', 3000, portNumber);
  const settings: Settings = {
    production: env['NODE_ENV'] === 'production',
    host,
    port,
    databaseUrl: read('DATABASE_URL', DEFAULT_DATABASE_URL, (url) => (ormOptions(url), url)),
    logLevel: read('LOG_LEVEL', 'info', logLevel),
    trustProxy: read('AUTH_TRUST_PROXY', false as const, proxies),
    corsOrigins: read('AUTH_CORS_ORIGINS', [] as string[], origins),
    auth: {
      issuer: read('AUTH_ISSUER', `http://${urlHost(host)}:${port}`, String),
      secret: read('AUTH_SECRET', undefined, String),
      defaultClientId: read('AUTH_DEFAULT_CLIENT_ID', undefined, String),
      signingAlg: read('AUTH_SIGNING_ALG', undefined, (text) => text as SigningAlg),
      accessTokenTtl: read('AUTH_ACCESS_TOKEN_TTL', undefined, wholeNumber),
      refreshTokenTtl: read('AUTH_REFRESH_TOKEN_TTL', undefined, wholeNumber),
      refreshRetryWindow: read('AUTH_REFRESH_RETRY_WINDOW', undefined, wholeNumber),
      browserSessionTtl: read('AUTH_BROWSER_SESSION_TTL', undefined, wholeNumber),
      browserSessionIdleTtl: read('AUTH_BROWSER_SESSION_IDLE_TTL', undefined, wholeNumber),
      templates: read('AUTH_TEMPLATES', undefined, String),
      limitIp: read('AUTH_LIMIT_IP', undefined, limit),
      limitClient: read('AUTH_LIMIT_CLIENT', undefined, limit),
      limitAccount: read('AUTH_LIMIT_ACCOUNT', undefined, limit),
      limitSends: read('AUTH_LIMIT_SENDS', undefined, limit),
      limitClientSends: read('AUTH_LIMIT_CLIENT_SENDS', undefined, limit),
      limitNames: read('AUTH_LIMIT_NAMES', undefined, limit),
      maxDevices: read('AUTH_MAX_DEVICES', undefined, wholeNumber),
      revealAccounts: read('AUTH_REVEAL_ACCOUNTS', undefined, yesOrNo),
      smtpUrl: read('AUTH_SMTP_URL', undefined, String),
      smtpPlaintext: read('AUTH_SMTP_PLAINTEXT', undefined, yesOrNo),
      mailFrom: read('AUTH_MAIL_FROM', undefined, String),
      logVerificationCodes: env['NODE_ENV'] !== 'production',
    },
  };
  if (settings.production && settings.auth.secret === undefined) {
    throw new SettingsError('AUTH_SECRET', 'is required where NODE_ENV is production');
  }
  checkOptions(settings.auth);
  return settings;
}

/** The option's own check, told under the name of its setting. */
function checkOptions(auth: Settings['auth']): void {
  try {
    resolveOptions({ ...auth, secret: auth.secret ?? 'made later, and long enough then' });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new SettingsError(`AUTH_${error.option.replace(/[A-Z]/g, '_$&').toUpperCase()}`, error.problem);
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error('must be a whole number');
  return Number(text);
}

function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error('must be true or false');
  return text === 'true';
}

function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new Error('must be at most 65535');
  return port;
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw new Error(`must be one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

function limit(text: string): Limit {
  if (text === 'off') return false;
  const [, requests, seconds] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (requests === undefined) throw new Error('must be <requests>/<seconds>, such as 300/60, or off');
  return { requests: Number(requests), seconds: Number(seconds) };
}

function proxies(text: string): number | string[] {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const addresses = text.split(',').map((address) => address.trim());
  for (const address of addresses) {
    const [ip = '', prefix] = address.split('/');
    const bits = isIP(ip) === 6 ? 128 : 32;
    const wellFormed = isIP(ip) !== 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
    if (!wellFormed && !['loopback', 'linklocal', 'uniquelocal'].includes(address)) {
      throw new Error('must be the number of proxies, or addresses, such as loopback, 10.0.0.0/8');
    }
  }
  return addresses;
}

function origins(text: string): string[] {
  return text.split(',').map((part) => {
    const origin = part.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error('must be origins, such as https://app.example.com, separated by commas');
    }
    return origin;
  });
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return isIP(host) === 6 ? `[${host}]` : host;
}
