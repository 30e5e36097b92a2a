import { isIP } from 'node:net';
import type { NewDatabase } from './database-file.js';
import { Environment, SettingsError } from './environment.js';
import { databaseOf, DEFAULT_DATABASE_URL } from '../base/database/own/database-url.js';
import { secretIn } from './secret-file.js';
import { isEasyToGuess, MAKE_A_SECRET } from './secret-strength.js';
import { type AuthOptions, type Limit, OptionError, resolveOptions, type SigningAlg } from '../base/auth.options.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says about the deployed service, checked. */
export interface Settings {
  production: boolean;
  host: string;
  port: number;
  databaseUrl: string;
  /** Connections of this process to a database that is a server. */
  databasePool: number;
  newDatabase: NewDatabase;
  /** Where all processes share their limits; undefined: each has its own. */
  redisUrl: string | undefined;
  logLevel: LogLevel;
  /** Express's `trust proxy`: hops, or addresses; false: the client's address is the socket's. */
  trustProxy: false | number | string[];
  corsOrigins: string[];
  /** Processes that serve. */
  workers: number;
  /** Seconds that a connection without a request is kept open. */
  keepAliveTimeout: number;
  /** Seconds that requests under way have got to end after the signal to stop. */
  shutdownTimeout: number;
  /** Everything for AuthModule; without a secret, one is made and kept in a file. */
  auth: Omit<AuthOptions, 'secret'> & { secret?: string };
}

type Env = Record<string, string | undefined>;

/**
 * Reads and checks every setting; an empty one counts as not set.
 * @throws SettingsError for the first that is wrong
 */
export function readSettings(env: Env): Settings {
  const environment = new Environment(env);
  const { read } = environment;
  const production = read('NODE_ENV', 'development', mode) === 'production';
  const host = read('HOST', '127.0.0.1', hostToListenAt);
  const port = read('PORT', 3000, portNumber);
  const secret: Secret = {
    name: 'AUTH_SECRET',
    value: read('AUTH_SECRET', undefined, String),
    fromFile: read('AUTH_SECRET_FILE', undefined, secretIn),
  };
  const previous: Secret = {
    name: 'AUTH_SECRET_PREVIOUS',
    value: read('AUTH_SECRET_PREVIOUS', undefined, String),
    fromFile: read('AUTH_SECRET_PREVIOUS_FILE', undefined, secretIn),
  };
  const settings: Settings = {
    production,
    host,
    port,
    databaseUrl: read('DATABASE_URL', DEFAULT_DATABASE_URL, (url) => (databaseOf(url), url)),
    databasePool: read('AUTH_DATABASE_POOL', 10, (text) => within(text, 1, 1000)),
    redisUrl: read('REDIS_URL', undefined, redisUrl),
    newDatabase: production ? 'make-first' : 'make',
    logLevel: read('LOG_LEVEL', 'info', logLevel),
    trustProxy: read('AUTH_TRUST_PROXY', false as const, proxies),
    corsOrigins: read('AUTH_CORS_ORIGINS', [] as string[], origins),
    workers: read('WORKERS', 1, (text) => within(text, 1, 256)),
    keepAliveTimeout: read('AUTH_KEEP_ALIVE_TIMEOUT', 65, (text) => within(text, 1, 86_400)),
    shutdownTimeout: read('AUTH_SHUTDOWN_TIMEOUT', 10, (text) => within(text, 0, 3600)),
    auth: {
      issuer: read('AUTH_ISSUER', `http://${urlHost(host)}:${port}`, String),
      secret: secret.value ?? secret.fromFile,
      previousSecret: previous.value ?? previous.fromFile,
      defaultClientId: read('AUTH_DEFAULT_CLIENT_ID', undefined, String),
      signingAlg: read('AUTH_SIGNING_ALG', undefined, (text) => text as SigningAlg),
      keyRotation: read('AUTH_KEY_ROTATION', undefined, wholeNumber),
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
      anonymousUserTtl: read('AUTH_ANONYMOUS_USER_TTL', undefined, wholeNumber),
      revealAccounts: read('AUTH_REVEAL_ACCOUNTS', undefined, yesOrNo),
      smtpUrl: read('AUTH_SMTP_URL', undefined, String),
      smtpPlaintext: read('AUTH_SMTP_PLAINTEXT', undefined, yesOrNo),
      mailFrom: read('AUTH_MAIL_FROM', undefined, String),
      logVerificationCodes: !production,
    },
  };
  const allowHttp = read('AUTH_ALLOW_HTTP_ISSUER', false, yesOrNo);
  environment.check();
  for (const { name, value, fromFile } of [secret, previous]) {
    if (value !== undefined && fromFile !== undefined) throw new SettingsError(`${name}_FILE`, `is set beside ${name}`);
  }
  checkOptions(settings.auth, { secret: settingOf(secret), previousSecret: settingOf(previous) });
  if (production) {
    if (settings.auth.secret === undefined) {
      throw new SettingsError('AUTH_SECRET', `is required where NODE_ENV is production; ${HOW_TO}`);
    }
    checkStrength(secret);
    checkStrength(previous);
    if (!allowHttp) checkScheme(settings.auth.issuer);
  }
  return settings;
}

/** A secret as it was set: by itself, or by the name of a file that holds it. */
interface Secret {
  name: string;
  value: string | undefined;
  fromFile: string | undefined;
}

const HOW_TO = `\`${MAKE_A_SECRET}\` makes one`;

/** The setting that a secret came by. */
function settingOf({ name, fromFile }: Secret): string {
  return fromFile === undefined ? name : `${name}_FILE`;
}

function checkStrength(secret: Secret): void {
  const text = secret.value ?? secret.fromFile;
  if (text !== undefined && isEasyToGuess(text)) {
    throw new SettingsError(settingOf(secret), `is too easy to guess; ${HOW_TO}`);
  }
}

/** Over plain http, whoever is on the way reads every token; a browser treats nothing but a loopback host as secure. */
function checkScheme(issuer: string): void {
  const { protocol, hostname } = new URL(issuer);
  if (protocol === 'https:' || /^(localhost|.+\.localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return;
  throw new SettingsError(
    'AUTH_ISSUER',
    `${issuer} must be https where NODE_ENV is production (AUTH_ALLOW_HTTP_ISSUER=true lets it be http)`,
  );
}

/** The option's own check, told under the name of its setting. */
function checkOptions(auth: Settings['auth'], secrets: Record<string, string>): void {
  try {
    resolveOptions({ ...auth, secret: auth.secret ?? 'made later, and long enough then' });
  } catch (error) {
    if (!(error instanceof OptionError) || !(error.option in secrets)) throw asSetting(error);
    throw new SettingsError(secrets[error.option]!, `${error.problem}; ${HOW_TO}`);
  }
}

/** The same failure; as one of the setting where it is about an option. */
export function asSetting(error: unknown): unknown {
  if (!(error instanceof OptionError)) return error;
  const { option, problem } = error;
  const name = option === 'databaseUrl' ? 'DATABASE_URL' : `AUTH_${option.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
  return new SettingsError(name, problem);
}

/** Its error does not repeat it: there may be a password in it. */
function redisUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || !/^(\/\d*)?$/.test(url.pathname)) {
    throw new Error('must be a redis:// or rediss:// URL, such as redis://localhost:6379/0');
  }
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'keyPrefix');
  if (unknown !== undefined) throw new Error(`has a parameter ${unknown}; it may have keyPrefix, and no other`);
  return text;
}

function mode(text: string): string {
  const modes = ['development', 'test', 'production'];
  if (!modes.includes(text)) throw new Error(`must be one of ${modes.join(', ')}`);
  return text;
}

/** An address, or a name; what ends in a number and is no address is a mistyped one. */
function hostToListenAt(text: string): string {
  if (isIP(text) === 0 && !/^([\w-]+\.)*[\w-]*[a-z_][\w-]*\.?$/i.test(text)) {
    throw new Error('must be an address, such as 127.0.0.1, or 0.0.0.0 for all, or a name of this machine');
  }
  return text;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error('must be a whole number');
  return Number(text);
}

function within(text: string, min: number, max: number): number {
  const number = wholeNumber(text);
  if (number < min || number > max) throw new Error(`must be a whole number from ${min} to ${max}`);
  return number;
}

function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error('must be true or false');
  return text === 'true';
}

function portNumber(text: string): number {
  return within(text, 0, 65_535);
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
  return isIP(host) === 6 ? `[${host.split('%')[0]}]` : host;
}
