import 'reflect-metadata';
import { type AddressInfo, createServer } from 'node:net';
import { Writable } from 'node:stream';
import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test, type TestingModule } from '@nestjs/testing';
import { type Logger, pino } from 'pino';
import request, { type Response } from 'supertest';
import { type DataSource } from 'typeorm';
import { AuthDatabase } from '../src/base/database/auth-database.js';
import { AppModule } from '../src/service/app.module.js';
import type { AuthOptions } from '../src/base/auth.options.js';
import { type NewClient, ClientService } from '../src/core/clients/client.service.js';
import { Clock } from '../src/base/clock.js';
import { JsonLogger } from '../src/service/logging/json-logger.js';
import { adapterFor, configureServer, SERVER_OPTIONS } from '../src/service/server.js';
import { readSettings, type Settings } from '../src/service/settings.js';
import { takeDatabase } from './databases.js';
import { fastifyApp, onFastify } from './fastify-app.js';
import { UserService } from '../src/core/users/user.service.js';

export const SECRET = 'a-service-secret-for-tests-0123456789';
export const ISSUER = 'https://auth.example.com';

const FAKE_START = Date.UTC(2030, 0, 1);

/** A clock that only moves when it is told to. */
export class FakeClock extends Clock {
  private ms = FAKE_START;
  private passed = 0;

  override now(): number {
    return this.ms;
  }

  override monotonic(): number {
    return this.passed;
  }

  /** Time passes. */
  advance(seconds: number): void {
    this.ms += seconds * 1000;
    this.passed += seconds * 1000;
  }

  /** Somebody sets the clock, back where negative: no time passes. */
  step(seconds: number): void {
    this.ms += seconds * 1000;
  }
}

/** A clock that runs, and can be put forward. */
class RunningClock extends FakeClock {
  override now(): number {
    return super.now() - FAKE_START + Date.now();
  }

  override monotonic(): number {
    return super.monotonic() + performance.now();
  }
}

const living = new Set<Service>();
// one that a failed test left behind would go on sweeping, by a clock of its own, what the next test file has there
afterAll(() => Promise.all([...living].map((service) => service.close())));

/** The clocks of the services that run, by URL, for visitors who take their time. */
export const clocks = new Map<string, FakeClock>();

export interface StartOptions {
  /** Its issuer is the URL that it listens at, and its clock runs: what a real client library wants. */
  reachable?: boolean;
  auth?: Partial<AuthOptions>;
  settings?: Partial<Omit<Settings, 'auth'>>;
  /** Whether the issuer is the URL that the service really listens on, and the time is now: for real clients. */
  real?: boolean;
}

/** The whole service over HTTP, on a database file of its own. */
export interface Service {
  app: INestApplication;
  clock: FakeClock;
  /** Lines of the log so far, parsed. */
  log: Record<string, unknown>[];
  databaseUrl: string;
  /** Of SQLite. */
  file: string;
  url: string;
  /** Asks the database. @param text with `?` for its parameters; moments and truths come as numbers and booleans */
  sql<Row = Record<string, unknown>>(text: string, parameters?: unknown[]): Promise<Row[]>;
  /** POST /auth/v1/token with a JSON body. */
  token(body: object, headers?: Record<string, string>): Promise<Response>;
  /** A public client with every grant a public client may have, unless told otherwise. */
  client(values: NewClient): Promise<{ client_id: string; client_secret?: string }>;
  user(username: string, password: string, groups?: string[]): Promise<string>;
  close(): Promise<void>;
}

export async function startService({
  reachable = false,
  auth = {},
  settings = {},
}: StartOptions = {}): Promise<Service> {
  const database = settings.databaseUrl === undefined ? await takeDatabase() : undefined;
  const databaseUrl = settings.databaseUrl ?? database!.url;
  const port = reachable ? await freePort() : 0;
  const issuer = reachable ? `http://127.0.0.1:${port}` : ISSUER;
  const defaults = readSettings({ AUTH_SECRET: SECRET, AUTH_ISSUER: issuer, DATABASE_URL: databaseUrl });
  const merged: Settings = { ...defaults, ...settings, auth: { ...defaults.auth, ...auth } };
  const clock = reachable ? new RunningClock() : new FakeClock();
  const log: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = pino({ level: 'debug' }, sink);
  const module = await Test.createTestingModule({ imports: [AppModule.forRoot(merged)] })
    .setLogger(new JsonLogger(logger))
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  const app = onFastify ? fastifyApp(module, merged) : expressApp(module, merged, logger);
  await app.listen(port, '127.0.0.1');
  const url = await app.getUrl();
  clocks.set(url, clock);
  const service: Service = {
    app,
    clock,
    log,
    databaseUrl,
    file: database?.file ?? '',
    sql: (text, parameters) => query(app.get(AuthDatabase).dataSource, text, parameters),
    url,
    token: (body, headers = {}) => request(url).post('/auth/v1/token').set(headers).send(body),
    client: async (values) => {
      const isPublic = values.public ?? true;
      const { client, secret } = await app.get(ClientService).create({
        public: isPublic,
        grant_types: ALL_GRANTS.filter((grant) => !isPublic || grant !== 'client_credentials'),
        scopes: ['openid', 'profile', 'email'],
        default_scope: ['openid', 'profile'],
        redirect_uris: ['https://app.example.com/callback'],
        ...values,
      });
      return secret === undefined ? { client_id: client.id } : { client_id: client.id, client_secret: secret };
    },
    user: async (username, password, groups) => (await app.get(UserService).create({ username, password, groups })).id,
    close: async () => {
      living.delete(service);
      clocks.delete(url);
      await app.close();
      database?.release();
    },
  };
  living.add(service);
  return service;
}

function expressApp(module: TestingModule, settings: Settings, log: Logger): INestApplication {
  const app = module.createNestApplication<NestExpressApplication>(adapterFor(settings), SERVER_OPTIONS);
  configureServer(app, settings, log);
  return app;
}

/** What booleans are called in our tables. */
const TRUTHS = new Set(['public', 'disabled', 'first_party', 'need_weda_resource', 'pending', 'account_access']);

async function query<Row>(database: DataSource, text: string, parameters: unknown[] = []): Promise<Row[]> {
  let n = 0;
  const isPostgres = database.options.type === 'postgres';
  const result: unknown = await database.query(isPostgres ? text.replaceAll('?', () => `$${++n}`) : text, parameters);
  const rows = (isPostgres && Array.isArray(result) && Array.isArray(result[0]) ? result[0] : result) as object[];
  if (!Array.isArray(rows)) return [];
  const cooked = (name: string, value: unknown) =>
    value === null
      ? null
      : TRUTHS.has(name)
        ? Boolean(value)
        : /^(n|count|.*_(at|from|after))$/.test(name)
          ? Number(value)
          : value;
  return rows.map(
    (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cooked(name, value)])) as Row,
  );
}

/** A port that nobody listens at, as far as can be known beforehand. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export const ALL_GRANTS = [
  'password',
  'refresh_token',
  'authorization_code',
  'urn:ietf:params:oauth:grant-type:device_code',
  'client_credentials',
];

/** HTTP status, error_code and google.rpc.Code of each word of the contract: the specification's table, not ours. */
const CONTRACT = {
  invalid_argument: [400, 40001, 3],
  unsupported_grant_type: [400, 40002, 3],
  invalid_grant: [400, 40003, 9],
  invalid_scope: [400, 40004, 3],
  authorization_pending: [400, 40005, 9],
  slow_down: [400, 40006, 8],
  access_denied: [400, 40007, 7],
  expired_token: [400, 40008, 9],
  invalid_dpop_proof: [400, 40009, 3],
  unsupported_token_type: [400, 40010, 3],
  invalid_username_or_password: [400, 40020, 3],
  password_not_set: [400, 40021, 9],
  invalid_verification_code: [400, 40022, 3],
  captcha_required: [400, 40023, 9],
  captcha_invalid: [400, 40024, 3],
  unauthorized_client: [401, 40101, 16],
  invalid_client: [401, 40102, 16],
  unauthenticated: [401, 40103, 16],
  permission_denied: [403, 40301, 7],
  user_pending: [403, 40320, 7],
  user_blocked: [403, 40321, 7],
  not_found: [404, 40401, 5],
  user_not_found: [404, 40420, 5],
  username_already_exists: [409, 40920, 6],
  already_exists: [409, 40921, 6],
  resource_exhausted: [429, 42901, 8],
  invalid_status: [429, 42920, 8],
  internal: [500, 50001, 13],
  unavailable: [503, 50301, 14],
} as const;

export interface ExpectedError {
  error: keyof typeof CONTRACT;
  /** Under /oauth2: the standards' word, where it is another. */
  word?: string;
  reason: string;
  /** The whole sentence; left out: any. */
  message?: string;
  fields?: { field: string; description: string }[];
  /** Seconds, in Retry-After and RetryInfo. */
  retryAfter?: number;
  /** Where it is not the row's own: 405, 413, 415 keep their status. */
  status?: number;
  error_code?: number;
  /** The zh-CN sentence, where the caller asked for it. */
  chinese?: string;
}

/** Expects the one documented failure, status, headers and whole body. */
export function expectError(response: Response, expected: ExpectedError): void {
  const [status, errorCode, code] = CONTRACT[expected.error];
  const message: unknown = expected.message ?? expect.stringMatching(/./);
  const details: object[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: expected.reason,
      domain: 'auth.example.com',
      metadata: {},
    },
  ];
  if (expected.fields) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: expected.fields });
  }
  if (expected.retryAfter !== undefined) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${expected.retryAfter}s` });
  }
  details.push({
    '@type': 'type.googleapis.com/google.rpc.RequestInfo',
    requestId: response.headers['x-request-id'],
  });
  if (expected.chinese !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.LocalizedMessage',
      locale: 'zh-CN',
      message: expected.chinese,
    });
  }
  expect(response.body).toEqual({
    error: expected.word ?? expected.error,
    error_code: expected.error_code ?? errorCode,
    error_description: message,
    code,
    message,
    details,
  });
  expect((response.body as { message: string }).message).toBe(
    (response.body as { error_description: string }).error_description,
  );
  expect(response.status).toBe(expected.status ?? status);
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  expect(response.headers['retry-after']).toBe(
    expected.retryAfter === undefined ? undefined : String(expected.retryAfter),
  );
}
