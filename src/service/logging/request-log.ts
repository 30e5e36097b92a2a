import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';
import { expressExchange } from '../../base/http/express-exchange.js';

/** Echoes x-request-id on every answer, and writes a line for it: never a query, a header or a body. */
export function requestLog(log: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const began = performance.now();
    const http = expressExchange(request, response);
    const { method, requestId } = http;
    if (!http.headersSent) http.setHeader('x-request-id', requestId);
    response.on('close', () => {
      const status = response.writableFinished ? response.statusCode : 499; // the client went away
      const ms = Math.round((performance.now() - began) * 100) / 100;
      log[status >= 500 ? 'error' : 'info']({
        requestId,
        method,
        path: http.route, // never http.path: one that is none of ours may hold anything, such as a pasted token
        status,
        error: http.refusal?.error,
        reason: http.refusal?.reason,
        ms,
        msg: 'request',
      });
    });
    next();
  };
}
