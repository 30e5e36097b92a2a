import { AuthError } from '../errors/auth.error.js';
import type { HttpExchange } from './http-exchange.js';
import { Parameters } from './parameters.js';

/** Largest body, in bytes. */
const MAX_BODY = 64 * 1024;
/** How long a body may take to arrive, in milliseconds. */
const BODY_TIMEOUT = 10_000;

type Media = 'json' | 'form';

/**
 * The parameters of a request's body, whichever of the three content types it came as: JSON, form (RFC 6749 §4), or
 * JSON called text/plain, as the official SDK sends it. In a host application whose own parser was faster, what that
 * parser made of the body.
 * @throws AuthError invalid_argument, payload_too_large, unsupported_media_type
 */
export async function readParameters(http: HttpExchange): Promise<Parameters> {
  const media = mediaOf(http);
  if (http.parsedBody !== undefined) return fromHostParser(http.parsedBody, media);
  return parse(decode(await readBody(http)), media);
}

/** The parameters of a request's query, as strict as those of a body. */
export function readQuery({ url }: HttpExchange): Parameters {
  const start = url.indexOf('?');
  return parseForm(start === -1 ? '' : url.slice(start + 1));
}

function mediaOf(http: HttpExchange): Media {
  const [type, ...parameters] = (http.header('content-type') ?? '').toLowerCase().split(';');
  const media = MEDIA[type!.trim()];
  if (!media) throw new AuthError('unsupported_media_type', { reason: 'CONTENT_TYPE_UNSUPPORTED' });
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=');
    if (name!.trim() === 'charset' && !/^"?utf-?8"?$/.test(value.trim())) {
      throw new AuthError('unsupported_media_type', { reason: 'CHARSET_UNSUPPORTED' });
    }
  }
  const encoding = http.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AuthError('unsupported_media_type', { reason: 'CONTENT_ENCODING_UNSUPPORTED' });
  }
  return media;
}

const MEDIA: Record<string, Media | undefined> = Object.assign(
  Object.create(null) as object,
  {
    'application/json': 'json',
    'text/plain': 'json',
    'application/x-www-form-urlencoded': 'form',
  } as const,
);

async function readBody(http: HttpExchange): Promise<Buffer> {
  const expected = Number(http.header('content-length'));
  if (expected > MAX_BODY) throw new AuthError('payload_too_large', { reason: 'BODY_TOO_LARGE' });
  const { stream } = http;
  await Promise.resolve(); // what came in one packet with the headers is in the stream then: mostly all, with nothing to wait for
  if (stream.readableLength === expected && expected > 0) return stream.read() as Buffer;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => settle('BODY_TIMEOUT'), BODY_TIMEOUT);
    const settle = (failure?: 'BODY_TIMEOUT' | 'BODY_MALFORMED' | 'BODY_TOO_LARGE') => {
      clearTimeout(timer);
      stream.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut);
      if (failure === undefined) resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      else if (failure === 'BODY_TOO_LARGE') reject(new AuthError('payload_too_large', { reason: failure }));
      else reject(new AuthError('invalid_argument', { reason: failure, headers: { Connection: 'close' } }));
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY) settle('BODY_TOO_LARGE');
      else chunks.push(chunk);
    };
    const onEnd = () => settle();
    const onCut = () => settle('BODY_MALFORMED');
    stream.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed();
  }
}

function fromHostParser(body: unknown, media: Media): Parameters {
  if (typeof body === 'string') return parse(body, media);
  if (Buffer.isBuffer(body)) return parse(decode(body), media);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed();
  return new Parameters(body as Record<string, unknown>);
}

function parse(text: string, media: Media): Parameters {
  return media === 'form' ? parseForm(text) : parseJson(text);
}

function parseForm(text: string): Parameters {
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const repeated = new Set<string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in values) repeated.add(name);
    values[name] = value;
  }
  return new Parameters(values, repeated);
}

function parseJson(text: string): Parameters {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return new Parameters(value as Record<string, unknown>, repeatedNames(text, value));
}

/** JSON.parse silently keeps the last of two members of one name; RFC 6749 §3.2 wants neither. */
function repeatedNames(text: string, parsed: object): Set<string> {
  const repeated = new Set<string>();
  const names = memberNames(text);
  if (names.length === Object.keys(parsed).length) return repeated;
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}

/** The names of the top-level members of a valid JSON object, each as often as it stands there. */
function memberNames(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let string = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') {
      const start = i;
      while (text[++i] !== '"') if (text[i] === '\\') i++;
      if (depth === 1) string = text.slice(start, i + 1);
    } else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === ':' && depth === 1) names.push(JSON.parse(string) as string);
  }
  return names;
}

function malformed(): AuthError {
  return new AuthError('invalid_argument', { reason: 'BODY_MALFORMED' });
}
