import type { Request, Response } from 'express';
import { requestIdOf } from './request-id.js';
import { NO_STORE } from './send-json.js';

/**
 * Sends the browser on by 303: it never repeats a POST, and so never a password (RFC 9700 §4.12). `no-referrer`: what
 * stands in this page's address is nobody else's business (§4.2.4).
 */
export function seeOther(request: Request, response: Response, location: string): void {
  response.writeHead(303, {
    Location: location,
    'Content-Length': 0,
    'x-request-id': requestIdOf(request),
    'Referrer-Policy': 'no-referrer',
    ...NO_STORE,
  });
  response.end();
}
