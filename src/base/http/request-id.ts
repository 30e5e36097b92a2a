import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const ID = Symbol('request id');
const WELL_FORMED = /^[A-Za-z0-9._-]{1,64}$/;

/** The request's id: the caller's `x-request-id` where it is well formed, else one of ours. */
export function requestIdOf(request: IncomingMessage & { [ID]?: string }): string {
  let id = request[ID];
  if (id === undefined) {
    const sent = request.headers['x-request-id'];
    id = typeof sent === 'string' && WELL_FORMED.test(sent) ? sent : randomUUID();
    request[ID] = id;
  }
  return id;
}

/** Echoes the id, whatever becomes of the request. */
export function echoRequestId(request: IncomingMessage, response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('x-request-id', requestIdOf(request));
}
