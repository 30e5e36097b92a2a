import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';
import { expressExchange } from '../../base/http/express-exchange.js';

/** Writes a line for every answer: never a query, a header or a body. */
export function requestLog(log: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const began = performance.now();
    const http = expressExchange(request, response);
    const { method } = http;
    response.on('close', () => {
      const status = response.writableFinished ? response.statusCode : 499; // the client went away
      const ms = Math.round((performance.now() - began) * 100) / 100;
      log[status >= 500 ? 'error' : 'info']({
        requestId: http.requestId,
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
