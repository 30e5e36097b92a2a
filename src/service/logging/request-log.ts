import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';
import { echoRequestId, requestIdOf } from '../../base/http/request-id.js';

/** Echoes x-request-id on every answer, and writes a line for it: never a query, a header or a body. */
export function requestLog(log: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const began = performance.now();
    const { method } = request;
    echoRequestId(request, response);
    response.on('close', () => {
      const { error, reason } = response.locals as { error?: string; reason?: string };
      const status = response.writableFinished ? response.statusCode : 499; // the client went away
      // the route's pattern: a path that is none of ours may hold anything, such as a token pasted into it
      const path = (request.route as { path?: string } | undefined)?.path;
      const ms = Math.round((performance.now() - began) * 100) / 100;
      log[status >= 500 ? 'error' : 'info']({
        requestId: requestIdOf(request),
        method,
        path,
        status,
        error,
        reason,
        ms,
        msg: 'request',
      });
    });
    next();
  };
}
