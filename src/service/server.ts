import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestApplicationOptions } from '@nestjs/common';
import type { CorsOptions, CorsOptionsDelegate } from '@nestjs/common/interfaces/external/cors-options.interface.js';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { ServerAdapter } from './server-adapter.js';
import { JsonLogger } from './logging/json-logger.js';
import { requestLog } from './logging/request-log.js';
import type { Settings } from './settings.js';

/** Headers that CloudBase's SDKs send; @cloudbase/oauth alone sends one that is really called `undefined`. */
const CORS_HEADERS = [
  'authorization',
  'dpop',
  'content-type',
  'x-request-id',
  'x-device-id',
  'x-sdk-version',
  'accept-language',
  'undefined',
];

/** The service, ready to listen. */
export async function createServer(settings: Settings, log: Logger): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings), adapterFor(settings), {
    logger: new JsonLogger(log),
    ...SERVER_OPTIONS,
    abortOnError: false, // main.ts says in one line why it did not start
  });
  configureServer(app, settings, log);
  return app;
}

/** What a test of the service sets up in the same way. */
export function adapterFor(settings: Settings): ServerAdapter {
  const { keepAliveTimeout, shutdownTimeout } = settings;
  return new ServerAdapter({ domain: new URL(settings.auth.issuer).host, keepAliveTimeout, shutdownTimeout });
}

export const SERVER_OPTIONS = {
  bodyParser: false, // our routes read their own bodies, and no other route has one
} satisfies NestApplicationOptions;

export function configureServer(app: NestExpressApplication, settings: Settings, log: Logger): void {
  app.set('etag', false).set('query parser', 'simple').disable('x-powered-by');
  app.set('trust proxy', settings.trustProxy);
  app.use(requestLog(log));
  if (settings.corsOrigins.length > 0) {
    const cors = corsOptions(settings.corsOrigins);
    // also of an answer that nobody asked for from another origin: a cache would give that one to those who do
    app.use((_: unknown, response: ServerResponse, next: () => void) => {
      response.setHeader('Vary', 'Origin'); // RFC 9110 §12.5.5, Fetch §3.2.5
      next();
    });
    app.enableCors(((request: IncomingMessage, done: (error: null, options: CorsOptions) => void) => {
      const { origin, 'access-control-request-method': asked } = request.headers;
      // an OPTIONS that is no preflight is a method like any other
      const isCors = origin !== undefined && (request.method !== 'OPTIONS' || asked !== undefined);
      done(null, isCors ? cors : { origin: false });
    }) as CorsOptionsDelegate<IncomingMessage>);
  }
}

/** What scripts of these origins may do. */
export function corsOptions(origins: string[]): CorsOptions {
  return {
    origin: origins,
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: CORS_HEADERS,
    exposedHeaders: ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy'],
    maxAge: 600,
  };
}
