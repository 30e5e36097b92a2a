import type { Readable } from 'node:stream';
import type { Parameters } from './parameters.js';
import type { RequestHead } from './request-head.js';
import { requestIdFrom } from './request-id.js';

/** RFC 6749 §5.1: answers that hold tokens, and errors, are never stored. */
export const NO_STORE: Record<string, string> = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

/** Why a request was refused, for its line in the log. */
export interface Refusal {
  /** The `error` that was answered, where it went to who asked. */
  error?: string;
  reason: string;
}

/**
 * One request and its answer: all that anything of ours may know of the platform below, which one subclass binds.
 * An answer is written whole and straight to the socket. Not by Nest's return value: a host's global interceptor would
 * wrap it, and Express would hash an ETag for an answer that nobody may cache.
 */
export abstract class HttpExchange implements RequestHead {
  /** What the request log says of it. */
  refusal: Refusal | undefined = undefined;
  // with # what was sent is out of reach of a host's loggers and pipes, which go through any object they are given
  #id: string | undefined = undefined;
  #parameters: Parameters | undefined = undefined;

  abstract readonly method: string;
  /** Path and query, as the client sent them. */
  abstract readonly url: string;
  /** The path alone, as it is routed. */
  abstract readonly path: string;
  /** The pattern of the route that matched, where one did. */
  abstract readonly route: string | undefined;
  /** The client's address, behind the proxies that are trusted. */
  abstract readonly ip: string | undefined;
  /** The query, as the platform parses it. */
  abstract readonly query: Parameters;
  /** What a parser of the host has made of the body; undefined: the body is still in the stream. */
  abstract readonly parsedBody: unknown;
  abstract readonly stream: Readable;

  /** @param name in lower case, here and below */
  abstract header(name: string): string | undefined;
  /** Each value of a header that was sent more than once, which header() joins or drops. */
  abstract headerValues(name: string): readonly string[];

  /** Whether a body was sent, by what its headers say (RFC 9112 §6). */
  get hasBody(): boolean {
    return this.header('transfer-encoding') !== undefined || Number(this.header('content-length') ?? 0) !== 0;
  }

  /** The media type of the body, in lower case and without its parameters. */
  get mediaType(): string | undefined {
    return this.header('content-type')?.split(';', 1)[0]!.trim().toLowerCase();
  }

  /** The caller's `x-request-id` where it is well formed, else one of ours. */
  get requestId(): string {
    return (this.#id ??= requestIdFrom(this.header('x-request-id')));
  }

  /** The parameters that ParametersGuard has read. */
  get parameters(): Parameters {
    if (!this.#parameters) throw new Error('ParametersGuard did not run before this');
    return this.#parameters;
  }

  set parameters(parameters: Parameters) {
    this.#parameters = parameters;
  }

  /** Whether an answer has begun, so that no other can be given. */
  abstract readonly headersSent: boolean;
  /** Whether it is complete. */
  abstract readonly ended: boolean;

  /** Headers that go with whatever answer is given. */
  abstract setHeader(name: string, value: string | string[]): void;
  abstract appendHeader(name: string, value: string): void;
  abstract hasHeader(name: string): boolean;

  json(status: number, body: object, headers: Record<string, string> = NO_STORE): void {
    this.jsonText(status, JSON.stringify(body), headers);
  }

  /** The same for JSON that is text already. */
  jsonText(status: number, text: string, headers: Record<string, string>): void {
    this.text(status, 'application/json; charset=utf-8', text, headers);
  }

  html(status: number, html: string, headers: Record<string, string>): void {
    this.text(status, 'text/html; charset=utf-8', html, headers);
  }

  /**
   * Sends the browser on by 303: it never repeats a POST, and so never a password (RFC 9700 §4.12). `no-referrer`: what
   * stands in this page's address is nobody else's business (§4.2.4).
   */
  seeOther(location: string): void {
    this.write(303, {
      Location: location,
      'Content-Length': 0,
      'x-request-id': this.requestId,
      'Referrer-Policy': 'no-referrer',
      ...NO_STORE,
    });
  }

  /** Breaks off an answer that has begun and cannot be finished. */
  abstract abort(): void;

  /** Sends it all: of an answer to HEAD node leaves out the text. */
  protected abstract write(status: number, headers: Record<string, string | number>, text?: string): void;

  private text(status: number, type: string, text: string, headers: Record<string, string>): void {
    const head = {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(text),
      'x-request-id': this.requestId,
      ...headers,
    };
    this.write(status, head, text);
  }
}
