import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { canonicalAddress } from './address.js';
import { HttpExchange } from './http-exchange.js';
import { Parameters } from './parameters.js';

const EXCHANGE = Symbol('exchange');
const NONE: readonly string[] = [];

/** The exchange of a request, the same one each time. */
export function expressExchange(request: object & { [EXCHANGE]?: HttpExchange }, response: object): HttpExchange {
  // kept on the request itself: a WeakMap of every request is dear to the garbage collector
  return (request[EXCHANGE] ??= new ExpressExchange(request as Request, response as Response));
}

/** On Express. */
class ExpressExchange extends HttpExchange {
  readonly #request: Request;
  readonly #response: Response;
  #ip: string | undefined = undefined;

  constructor(request: Request, response: Response) {
    super();
    this.#request = request;
    this.#response = response;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.originalUrl;
  }

  get path(): string {
    return this.#request.path;
  }

  get route(): string | undefined {
    return (this.#request.route as { path?: string } | undefined)?.path;
  }

  get ip(): string | undefined {
    return (this.#ip ??= addressOf(this.#request));
  }

  get query(): Parameters {
    return new Parameters(this.#request.query);
  }

  get parsedBody(): unknown {
    return this.#request.body as unknown;
  }

  get stream(): Readable {
    return this.#request;
  }

  header(name: string): string | undefined {
    return this.#request.headers[name] as string | undefined; // only set-cookie, which no request has, is a list
  }

  headerValues(name: string): readonly string[] {
    // looked at first, as headersDistinct is made of all headers
    return this.#request.headers[name] === undefined ? NONE : (this.#request.headersDistinct[name] ?? NONE);
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  get ended(): boolean {
    return this.#response.writableEnded;
  }

  setHeader(name: string, value: string | string[]): void {
    this.#response.setHeader(name, value);
  }

  appendHeader(name: string, value: string): void {
    this.#response.append(name, value);
  }

  hasHeader(name: string): boolean {
    return this.#response.hasHeader(name);
  }

  abort(): void {
    this.#response.destroy();
  }

  protected write(status: number, headers: Record<string, string | number>, text?: string): void {
    this.#response.writeHead(status, headers).end(text);
  }
}

/**
 * Express's `req.ip` by the rule of its `trust proxy`, but that every hop is an address: the name of one that is none is
 * worth no more than the hop that told it.
 */
function addressOf({ app, socket, headers }: Request): string | undefined {
  const isTrusted = app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean;
  let address = canonicalAddress(socket.remoteAddress);
  const forwarded = headers['x-forwarded-for'];
  if (forwarded === undefined) return address;
  const told = [forwarded].flat().join(',').split(',');
  const hops = told.map((hop) => hop.trim()).filter((hop) => hop !== ''); // RFC 9110 §5.6.1: empty ones don't count
  for (const [i, hop] of hops.reverse().entries()) {
    const next = isTrusted(address, i) ? canonicalAddress(hop) : undefined;
    if (next === undefined) break;
    address = next;
  }
  return address;
}
