import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Response } from 'supertest';
import { CATALOGUE } from '../../src/wings.js';
import { type ExpectedError, expectError, type Service, type StartOptions, startService } from '../service.js';

/** No answer may take longer than this, on a busy machine too, in milliseconds. */
const SLOW = 3000;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The JSON in the text; undefined: there is none. */
  body: Record<string, unknown> | undefined;
}

export interface Sent {
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  /** Several pieces are sent chunked. */
  body?: string | Buffer | (string | Buffer)[];
}

export const TOKEN = '/auth/v1/token';
export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';

export const form = (parameters: Record<string, string> | [string, string][]): string =>
  new URLSearchParams(parameters).toString();

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

/** A service with a user, clients of each sort and no limits, and what a hostile client needs against it. */
export interface Target extends Service {
  /** What must never stand in the log: grows with every token that is issued. */
  secrets: string[];
  close: () => Promise<void>;
  confidential: { client_id: string; client_secret: string };
  /** Any request, byte for byte, by default a POST of JSON to the token endpoint. */
  send(sent: Sent): Promise<Answer>;
  /** POST of these parameters as JSON. */
  post(parameters: object, headers?: OutgoingHttpHeaders): Promise<Answer>;
  signIn(more?: object, headers?: OutgoingHttpHeaders): Promise<Record<string, string>>;
}

export const USERNAME = 'ada@example.com';
export const PASSWORD = 'correct horse battery staple';

export async function startTarget({ auth, settings }: StartOptions = {}): Promise<Target> {
  const service = await startService({
    auth: { limitIp: false, limitClient: false, limitAccount: false, ...auth },
    settings,
  });
  await service.user(USERNAME, PASSWORD, ['staff']);
  await service.client({ id: 'app' });
  await service.client({ id: 'other' });
  const confidential = (await service.client({
    id: 'backend',
    public: false,
    scopes: ['openid', 'profile', 'api'],
  })) as {
    client_id: string;
    client_secret: string;
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const secrets = [PASSWORD, confidential.client_secret];
  const send = async (sent: Sent): Promise<Answer> => {
    const answer = await exchange(service.url, agent, sent);
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
      const token = answer.body?.[name];
      if (typeof token === 'string') secrets.push(token);
    }
    return answer;
  };
  const post = (parameters: object, headers: OutgoingHttpHeaders = {}) =>
    send({ headers: { 'content-type': JSON_TYPE, ...headers }, body: JSON.stringify(parameters) });
  return {
    ...service,
    secrets,
    confidential,
    send,
    post,
    signIn: async (more = {}, headers = {}) => {
      const answer = await post({ ...GOOD, ...more }, headers);
      expect(answer.status).toBe(200);
      return answer.body as Record<string, string>;
    },
    close: async () => {
      agent.destroy();
      await service.close();
    },
  };
}

/** A request that every service here answers with tokens. */
export const GOOD = { client_id: 'app', grant_type: 'password', username: USERNAME, password: PASSWORD };

/** After every test the service lives on; at the end it was never at fault, and its log holds no secret. */
export function livesOn(target: () => Target): void {
  afterEach(async () => {
    expect(await target().post({ ...target().confidential, grant_type: 'client_credentials' })).toMatchObject({
      status: 200,
    });
  });
  afterAll(async () => {
    const { secrets, close } = target();
    const log = [...target().log];
    await close();
    expect(log.length).toBeGreaterThan(0);
    expect(log.filter(({ level, status }) => status === 500 || (Number(level) >= 50 && status !== 503))).toEqual([]);
    const text = JSON.stringify(log);
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });
}

/** For a service of one test. */
export async function withTarget(options: StartOptions, test: (target: Target) => Promise<void>): Promise<void> {
  const target = await startTarget(options);
  await test(target).finally(target.close);
}

function exchange(url: string, agent: Agent, { method = 'POST', path = TOKEN, headers = {}, body }: Sent) {
  const { hostname, port } = new URL(url);
  const pieces = body === undefined ? [] : [body].flat();
  const framing: OutgoingHttpHeaders = Array.isArray(body)
    ? { 'transfer-encoding': 'chunked' }
    : body === undefined
      ? {}
      : { 'content-length': Buffer.byteLength(body) };
  return new Promise<Answer>((resolve, reject) => {
    const began = performance.now();
    const request = httpRequest(
      { hostname, port, method, path, agent, headers: { ...headers, ...framing } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const took = performance.now() - began;
          if (took > SLOW) reject(new Error(`answered after ${Math.round(took)} ms`));
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode!, headers: response.headers, text, body: parsed(text) });
        });
      },
    );
    request.on('error', reject);
    for (const piece of pieces) request.write(piece);
    request.end();
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Expects the one documented failure, whole. */
export function expectRefusal(answer: Answer, expected: ExpectedError): void {
  expectError(answer as unknown as Response, expected);
}

export const invalid = (reason: string, field?: string, description?: string): ExpectedError => ({
  error: 'invalid_argument',
  reason,
  ...(field === undefined ? {} : { fields: [{ field, description: description! }] }),
});

const SENTENCES = new Set(
  Object.values(CATALOGUE).flatMap(({ sentence, reasons }) =>
    [sentence, ...Object.values(reasons)].map(({ en }: { en: string }) => en),
  ),
);
const WORDS = new Map(Object.values(CATALOGUE).map((row) => [`${row.status} ${row.error_code}`, row]));

/** Expects tokens, or some documented failure in the documented shape: a sentence of the catalogue and nothing else. */
export function expectDocumented({ status, headers, body, text }: Answer): void {
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-request-id': expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  });
  if (status === 200) {
    expect(body).toMatchObject({ token_type: 'Bearer', access_token: expect.any(String) });
    for (const name of ['error', 'error_code', 'code']) expect(body).not.toHaveProperty(name);
    return;
  }
  expect(status).not.toBe(500);
  const row = WORDS.get(`${status} ${String(body?.['error_code'])}`);
  if (!row) throw new Error(`not in the catalogue: ${status} ${text}`);
  expect(body).toEqual({
    error: row.error,
    error_code: row.error_code,
    error_description: body!['message'],
    code: row.code,
    message: expect.any(String),
    details: expect.arrayContaining([
      expect.objectContaining({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', metadata: {} }),
      { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: headers['x-request-id'] },
    ]),
  });
  expect(SENTENCES).toContain(body!['message']);
}

/** A connection of one's own, for what no HTTP client would send. */
export interface Wire {
  socket: Socket;
  write: (text: string | Buffer) => void;
  /** Everything that came until the other side closed. */
  closed: Promise<string>;
  /** The first answer that is complete. */
  answer: Promise<Answer>;
}

export function open(url: string): Wire {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  const answer = deferred<Answer>();
  const closed = deferred<string>();
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    received += chunk;
    const complete = firstAnswer(received);
    if (complete) answer.resolve(complete);
  });
  socket.on('error', () => undefined); // it may be reset; what was received counts
  socket.on('close', () => {
    closed.resolve(received);
    answer.reject(new Error(`closed after: ${received}`));
  });
  answer.promise.catch(() => undefined);
  return { socket, write: (text) => socket.write(text), closed: closed.promise, answer: answer.promise };
}

function deferred<T>() {
  let settle!: { resolve(value: T): void; reject(error: Error): void };
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
}

function firstAnswer(received: string): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = received.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const length = Number(headers['content-length'] ?? 0);
  const bytes = Buffer.from(received.slice(end + 4));
  if (bytes.length < length) return undefined;
  const text = bytes.subarray(0, length).toString();
  return { status: Number(first!.split(' ')[1]), headers, text, body: parsed(text) };
}

export const head = (headers: Record<string, string>, method = 'POST', path = TOKEN): string =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({ Host: 'localhost', 'Content-Type': JSON_TYPE, ...headers }).map(([k, v]) => `${k}: ${v}`),
    '',
    '',
  ].join('\r\n');
