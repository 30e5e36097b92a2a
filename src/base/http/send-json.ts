import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdOf } from './request-id.js';

/**
 * Writes a whole JSON answer straight to the socket. Not by Nest's return value: a host's global interceptor would
 * wrap it, and Express would hash an ETag for an answer that nobody may cache.
 */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = NO_STORE,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'x-request-id': requestIdOf(request),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** RFC 6749 §5.1: answers that hold tokens, and errors, are never stored. */
export const NO_STORE: Record<string, string> = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };
