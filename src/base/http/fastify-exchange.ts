import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { canonicalAddress } from './address.js';
import { HttpExchange } from './http-exchange.js';
import { Parameters } from './parameters.js';

const EXCHANGE = Symbol('exchange');
const NONE: readonly string[] = [];

/** What we ask of Fastify's request: its package need not be there, nor its types. */
interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly originalUrl: string;
  readonly routeOptions: { readonly url?: string };
  /** The addresses that trusted proxies tell, the nearest first; undefined: none is trusted. */
  readonly ips?: readonly (string | undefined)[];
  readonly query: unknown;
  readonly body: unknown;
}

interface FastifyReply {
  readonly raw: ServerResponse;
  readonly sent: boolean;
  code(status: number): FastifyReply;
  header(name: string, value: string | string[]): FastifyReply;
  headers(headers: Record<string, string | number>): FastifyReply;
  getHeader(name: string): number | string | string[] | undefined;
  hasHeader(name: string): boolean;
  send(text?: string): FastifyReply;
}

/** The exchange of a request, the same one each time. */
export function fastifyExchange(request: object & { [EXCHANGE]?: HttpExchange }, reply: object): HttpExchange {
  return (request[EXCHANGE] ??= new FastifyExchange(request as FastifyRequest, reply as FastifyReply));
}

/** On Fastify. It answers by `send()`, as the host's plugins may have to add to every answer. */
class FastifyExchange extends HttpExchange {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #ip: string | undefined = undefined;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    super();
    this.#request = request;
    this.#reply = reply;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.originalUrl;
  }

  get path(): string {
    return this.url.replace(/[?#].*$/s, '');
  }

  get route(): string | undefined {
    return this.#request.routeOptions.url;
  }

  get ip(): string | undefined {
    return (this.#ip ??= addressOf(this.#request));
  }

  get query(): Parameters {
    return new Parameters(this.#request.query as Record<string, unknown>);
  }

  get parsedBody(): unknown {
    return this.#request.body ?? undefined;
  }

  get stream(): Readable {
    return this.#request.raw;
  }

  header(name: string): string | undefined {
    return this.#request.raw.headers[name] as string | undefined; // only set-cookie, which no request has, is a list
  }

  headerValues(name: string): readonly string[] {
    const { headers, headersDistinct } = this.#request.raw;
    return headers[name] === undefined ? NONE : (headersDistinct[name] ?? NONE);
  }

  get headersSent(): boolean {
    return this.#reply.sent;
  }

  /** All that we send is complete, but Fastify may hand it on to hooks of the host first. */
  get ended(): boolean {
    return this.#reply.sent;
  }

  setHeader(name: string, value: string | string[]): void {
    this.#reply.header(name, value);
  }

  appendHeader(name: string, value: string): void {
    const before = this.hasHeader(name) ? [this.#reply.getHeader(name)].flat().map(String) : [];
    // of Set-Cookie header() keeps what was there
    this.#reply.header(name, name.toLowerCase() === 'set-cookie' ? value : [...before, value]);
  }

  hasHeader(name: string): boolean {
    return this.#reply.hasHeader(name);
  }

  abort(): void {
    this.#reply.raw.destroy();
  }

  protected write(status: number, headers: Record<string, string | number>, text?: string): void {
    this.#reply.code(status).headers(headers).send(text);
  }
}

/** The last hop of those that Fastify's `trustProxy` tells that is an address, as are all before it. */
function addressOf({ ips, raw }: FastifyRequest): string | undefined {
  let address: string | undefined;
  for (const hop of ips ?? [raw.socket.remoteAddress]) {
    const next = canonicalAddress(hop);
    if (next === undefined) break;
    address = next;
  }
  return address;
}
