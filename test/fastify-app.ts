import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { TestingModule } from '@nestjs/testing';
import { corsOptions } from '../src/service/server.js';
import type { Settings } from '../src/service/settings.js';

/** Whether the suites run on Fastify: jest's project of that name says so. */
export const onFastify = (globalThis as { PLATFORM?: string }).PLATFORM === 'fastify';

/** The service's module in a host on Fastify, which has set up there what the service has set up on Express. */
export function fastifyApp(module: TestingModule, { trustProxy, corsOrigins }: Settings): INestApplication {
  // of a number Fastify trusts nobody
  const trusted = typeof trustProxy === 'number' ? (_: unknown, hop: number) => hop < trustProxy : trustProxy;
  const app = module.createNestApplication(new FastifyAdapter({ trustProxy: trusted }));
  if (corsOrigins.length > 0) app.enableCors(corsOptions(corsOrigins));
  return app;
}
