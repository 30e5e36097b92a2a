import { randomUUID } from 'node:crypto';
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express } from 'express';
import { AuthError } from '../base/errors/auth.error.js';
import { BASE_ERRORS } from '../base/errors/base.errors.js';
import { expressExchange } from '../base/http/express-exchange.js';
import type { ErrorRow } from '../base/errors/error-table.js';
import { errorBody } from '../base/errors/error-body.js';

/** How long headers and body of a request may take to arrive, and how often that is looked at, in milliseconds. */
const REQUEST_TIMEOUT = 15_000;
const CHECK_EVERY = 1000;
/** How often connections are closed that have become idle meanwhile, once it is told to stop, in milliseconds. */
const CLOSE_IDLE_EVERY = 50;

export interface ServerOptions {
  /** google.rpc.ErrorInfo.domain. */
  domain: string;
  /** Seconds that a connection without a request is kept open. */
  keepAliveTimeout: number;
  /** Seconds that requests under way have got to end, once the server closes. */
  shutdownTimeout: number;
}

function requestIdOf(response: ServerResponse): string {
  return expressExchange(response.req, response).requestId;
}

/**
 * Nest's Express for the deployed service, on a server whose requests and responses are born with Express's prototypes.
 * Express would exchange the prototypes of every single one, and V8 answers that by giving up its fast paths. What never
 * becomes a request (no HTTP, too slow, headers too large) gets the documented body too.
 */
export class ServerAdapter extends ExpressAdapter {
  private readonly sockets = new Set<Socket>();
  private closing?: Promise<void>;

  constructor(private readonly server: ServerOptions) {
    super();
  }

  override initHttpServer(): void {
    const app = this.getInstance<Express>();
    const isClosing = () => this.closing !== undefined;
    class ExpressRequest extends IncomingMessage {}
    class ExpressResponse extends ServerResponse {
      override writeHead(status: number, ...rest: unknown[]): this {
        if (isClosing()) this.shouldKeepAlive = false; // says `Connection: close`, and does
        // every answer echoes it; those that bring all of their headers along (HttpExchange) have it
        if (rest.length === 0) this.setHeader('x-request-id', requestIdOf(this));
        return super.writeHead(status, ...(rest as []));
      }
    }
    app.request = Object.setPrototypeOf(ExpressRequest.prototype, app.request) as Express['request'];
    app.response = Object.setPrototypeOf(ExpressResponse.prototype, app.response) as Express['response'];
    const server = createServer(
      {
        IncomingMessage: ExpressRequest,
        ServerResponse: ExpressResponse,
        headersTimeout: REQUEST_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        connectionsCheckingInterval: CHECK_EVERY,
        keepAliveTimeout: this.server.keepAliveTimeout * 1000,
      },
      app,
    );
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.refuse(error, socket));
    server.on('checkExpectation', app); // an expectation other than 100-continue is ignored (RFC 9110 §10.1.1)
    this.httpServer = server;
  }

  /**
   * Stops listening, and resolves when every request under way was answered, each answer being the last on its connection.
   * At the deadline the connections are cut off.
   */
  override close(): Promise<void> {
    return (this.closing ??= this.closeServer());
  }

  private async closeServer(): Promise<void> {
    const server = this.httpServer as Server;
    const closed = new Promise((resolve) => server.close(resolve)); // closes those that are idle now
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy(); // those that never asked
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY);
    const deadline = setTimeout(() => server.closeAllConnections(), this.server.shutdownTimeout * 1000);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
  }

  private refuse(failure: NodeJS.ErrnoException, socket: Socket): void {
    const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse | null };
    if (failure.code === 'ECONNRESET' || !socket.writable || current?.headersSent) {
      socket.destroy(); // nobody listens, or an answer is under way that must not be written into
      return;
    }
    const reason = failure.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'BODY_TIMEOUT' : 'REQUEST_MALFORMED';
    const error: AuthError = new AuthError('invalid_argument', { reason });
    const requestId = randomUUID();
    const row: ErrorRow = BASE_ERRORS.invalid_argument;
    const audience = { domain: this.server.domain, requestId, chinese: false };
    const body = JSON.stringify(errorBody(error, row, row, audience));
    const head = [
      'HTTP/1.1 400 Bad Request',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      'Pragma: no-cache',
      `x-request-id: ${requestId}`,
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
}
