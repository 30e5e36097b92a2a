import { availableParallelism } from 'node:os';
import { ConfigurableModuleBuilder } from '@nestjs/common';
import { databaseOf } from './database/own/database-url.js';

export const SIGNING_ALGS = ['ES256', 'RS256', 'EdDSA'] as const;
export type SigningAlg = (typeof SIGNING_ALGS)[number];

/** At most `requests` at once, and over time `requests` per `seconds`; `false` turns the limit off. */
export type Limit = { requests: number; seconds: number } | false;

export interface AuthOptions {
  /** URL of this authorization server: `iss` of every token. No query, no fragment (RFC 8414 §2). */
  issuer: string;
  /** The service secret, at least 32 characters. Every keyed hash and the signing keys' encryption derive from it. */
  secret: string;
  /**
   * Another secret that is understood, but that nothing is made under any more: for changing the secret, without which
   * it is left out. At least 32 characters. Default: none.
   */
  previousSecret?: string;
  /**
   * URL of a database for this module alone, for an application without TypeORM: `sqlite:<file>`,
   * `postgres://<user>@<host>/<database>` or `mysql://…`. Its schema is brought up to date at the start. Default: none,
   * and the host's data source is used.
   */
  databaseUrl?: string;
  /** Connections of this process to such a database, where it is a server, 1–1000. Default: 10. */
  databasePool?: number;
  /** `aud` of access tokens. Default: the issuer. */
  audience?: string;
  /** The client of a request that names none. Default: none. */
  defaultClientId?: string;
  /** Algorithm that tokens are signed with; a key of it is made where there is none. Default: ES256. */
  signingAlg?: SigningAlg;
  /** Days for which a key signs before a new one takes over, 0–3650; 0: until `KeyService.rotate()`. Default: 90. */
  keyRotation?: number;
  /** Life of an access token in seconds, 30–86400; a client may have its own. Default: 7200. */
  accessTokenTtl?: number;
  /** Life of a session in seconds from sign-in; refreshing never extends it; a client may have its own. Default: 2678400. */
  refreshTokenTtl?: number;
  /** Seconds in which the party that rotated a refresh token may present the old one again, 0–300; 0 turns it off. Default: 10. */
  refreshRetryWindow?: number;
  /** Life of an authorization code in seconds, 1–600 (RFC 6749 §4.1.2). Default: 60. */
  authorizationCodeTtl?: number;
  /** Life of a pushed authorization request in seconds, 5–600 (RFC 9126 §2.2). Default: 90. */
  pushedRequestTtl?: number;
  /** Life of a browser's sign-in in seconds, from the moment of signing in. Default: 1209600. */
  browserSessionTtl?: number;
  /** Seconds after which a browser that asked for nothing has to sign in again. Default: 86400. */
  browserSessionIdleTtl?: number;
  /** Folder of templates that replace ours of the same name, and `style.css`. Default: none. */
  templates?: string;
  /** Life of a device code in seconds (RFC 8628 §3.2). Default: 600. */
  deviceCodeTtl?: number;
  /** Least seconds between two polls for a device code (RFC 8628 §3.2). Default: 3. */
  deviceCodeInterval?: number;
  /** Where users type their device code. Default: `<issuer>/device`. */
  verificationUri?: string;
  /** Budgets of requests by client address (IPv6: by /64), and by living session. Default: 300 per 60 s. */
  limitIp?: Limit;
  /** Budget of requests by client; those that don't prove it count by client and address. Default: 6000 per 60 s. */
  limitClient?: Limit;
  /** Budget of failed attempts by account. Default: 10 per 300 s. */
  limitAccount?: Limit;
  /** Budget of verification codes by client address (IPv6: by /48), for text messages cost money. Default: 60 per 3600 s. */
  limitSends?: Limit;
  /** The same by client. Default: 1000 per 3600 s. */
  limitClientSends?: Limit;
  /** Budget of usernames that are asked for, by user and by address (IPv6: by /48). Default: 20 per 3600 s. */
  limitNames?: Limit;
  /** Password hashes computed at once. Default: the number of cores, at most 3. */
  hashingConcurrency?: number;
  /** Sign-ins that may wait for a hash; one more is answered `unavailable`. Default: 64. */
  hashingQueue?: number;
  /** Devices (`x-device-id`) on which a user may be signed in; one more ends the sessions of the oldest. 0: any number. Default: 0. */
  maxDevices?: number;
  /** Whether answers may tell that an account exists. Default: false. */
  revealAccounts?: boolean;
  /** `smtp://` or `smtps://` URL of the server that verification codes are mailed through. Default: none. */
  smtpUrl?: string;
  /** Whether mails may leave unencrypted where that server is another machine. Default: false. */
  smtpPlaintext?: boolean;
  /** Sender of those mails. Default: `no-reply@<host of the issuer>`. */
  mailFrom?: string;
  /** Whether codes that nothing else delivers are written to the log: for development. Default: false. */
  logVerificationCodes?: boolean;
  /** Seconds since its last sign-in after which an anonymous user without sessions is removed; 0: never. Default: 7776000. */
  anonymousUserTtl?: number;
  /** Seconds between two sweeps of expired sessions and codes; 0 turns them off. Default: 60. */
  cleanupInterval?: number;
}

export interface ResolvedAuthOptions extends Required<
  Omit<AuthOptions, 'previousSecret' | 'databaseUrl' | 'defaultClientId' | 'templates' | 'smtpUrl'>
> {
  previousSecret: string | undefined;
  databaseUrl: string | undefined;
  templates: string | undefined;
  defaultClientId: string | undefined;
  smtpUrl: string | undefined;
  /** google.rpc.ErrorInfo.domain: the issuer's host. */
  domain: string;
}

/** One wrong option. */
export class OptionError extends Error {
  constructor(
    /** Its name in AuthOptions. */
    readonly option: string,
    readonly problem: string,
  ) {
    super(`AuthModule: ${option} ${problem}`);
    this.name = 'OptionError';
  }
}

/**
 * The options with their defaults, checked.
 * @throws OptionError for the first that is wrong
 */
export function resolveOptions(options: AuthOptions): ResolvedAuthOptions {
  const issuer = issuerUrl(options.issuer);
  const { secret, previousSecret } = options;
  checkSecret('secret', secret);
  if (previousSecret !== undefined) checkSecret('previousSecret', previousSecret);
  if (previousSecret === secret) throw new OptionError('previousSecret', 'must be another one than the secret');
  const signingAlg = options.signingAlg ?? 'ES256';
  if (!SIGNING_ALGS.includes(signingAlg))
    throw new OptionError('signingAlg', `must be one of ${SIGNING_ALGS.join(', ')}`);
  return {
    issuer: options.issuer,
    domain: issuer.host,
    secret,
    previousSecret,
    databaseUrl: databaseUrl(options.databaseUrl),
    databasePool: within('databasePool', options.databasePool ?? 10, 1, 1000),
    audience: options.audience ?? options.issuer,
    defaultClientId: options.defaultClientId,
    signingAlg,
    keyRotation: within('keyRotation', options.keyRotation ?? 90, 0, 3650),
    accessTokenTtl: within('accessTokenTtl', options.accessTokenTtl ?? 7200, 30, 86_400),
    refreshTokenTtl: within('refreshTokenTtl', options.refreshTokenTtl ?? 2_678_400, 60, 315_360_000),
    refreshRetryWindow: within('refreshRetryWindow', options.refreshRetryWindow ?? 10, 0, 300),
    authorizationCodeTtl: within('authorizationCodeTtl', options.authorizationCodeTtl ?? 60, 1, 600),
    pushedRequestTtl: within('pushedRequestTtl', options.pushedRequestTtl ?? 90, 5, 600),
    browserSessionTtl: within('browserSessionTtl', options.browserSessionTtl ?? 1_209_600, 60, 34_560_000),
    browserSessionIdleTtl: within('browserSessionIdleTtl', options.browserSessionIdleTtl ?? 86_400, 60, 34_560_000),
    templates: options.templates,
    deviceCodeTtl: within('deviceCodeTtl', options.deviceCodeTtl ?? 600, 1, 86_400),
    deviceCodeInterval: within('deviceCodeInterval', options.deviceCodeInterval ?? 3, 1, 60),
    verificationUri: options.verificationUri ?? `${options.issuer.replace(/\/$/, '')}/device`,
    limitIp: limit('limitIp', options.limitIp ?? { requests: 300, seconds: 60 }),
    limitClient: limit('limitClient', options.limitClient ?? { requests: 6000, seconds: 60 }),
    limitAccount: limit('limitAccount', options.limitAccount ?? { requests: 10, seconds: 300 }),
    limitSends: limit('limitSends', options.limitSends ?? { requests: 60, seconds: 3600 }),
    limitClientSends: limit('limitClientSends', options.limitClientSends ?? { requests: 1000, seconds: 3600 }),
    limitNames: limit('limitNames', options.limitNames ?? { requests: 20, seconds: 3600 }),
    // libuv has four threads by default, and the database needs one
    hashingConcurrency: within(
      'hashingConcurrency',
      options.hashingConcurrency ?? Math.min(availableParallelism(), 3),
      1,
      1024,
    ),
    hashingQueue: within('hashingQueue', options.hashingQueue ?? 64, 0, 100_000),
    maxDevices: within('maxDevices', options.maxDevices ?? 0, 0, 10_000),
    revealAccounts: options.revealAccounts ?? false,
    smtpUrl: smtpUrl(options.smtpUrl),
    smtpPlaintext: options.smtpPlaintext ?? false,
    mailFrom: options.mailFrom ?? `no-reply@${issuer.hostname}`,
    logVerificationCodes: options.logVerificationCodes ?? false,
    anonymousUserTtl: within('anonymousUserTtl', options.anonymousUserTtl ?? 7_776_000, 0, 315_360_000),
    cleanupInterval: within('cleanupInterval', options.cleanupInterval ?? 60, 0, 86_400),
  };
}

function checkSecret(name: string, secret: unknown): void {
  if (typeof secret !== 'string' || secret.length < 32) throw new OptionError(name, 'must be at least 32 characters');
}

function within(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new OptionError(name, `must be a whole number from ${min} to ${max}`);
  }
  return value;
}

function limit(name: string, value: Limit): Limit {
  if (value === false) return false;
  return {
    requests: within(name, value.requests, 1, 1_000_000_000),
    seconds: within(name, value.seconds, 1, 86_400),
  };
}

function issuerUrl(issuer: string): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password) {
    throw new OptionError('issuer', 'must be an http(s) URL without query or fragment');
  }
  return url;
}

function databaseUrl(url: string | undefined): string | undefined {
  try {
    if (url !== undefined) databaseOf(url);
  } catch (error) {
    throw new OptionError('databaseUrl', (error as Error).message);
  }
  return url;
}

function smtpUrl(url: string | undefined): string | undefined {
  if (url !== undefined && !(URL.canParse(url) && /^smtps?:$/.test(new URL(url).protocol))) {
    throw new OptionError('smtpUrl', 'must be an smtp or smtps URL');
  }
  return url;
}

export const AUTH_OPTIONS = Symbol('nest-auth options');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<AuthOptions>({
  moduleName: 'Auth',
})
  .setClassMethodName('forRoot')
  .build();
