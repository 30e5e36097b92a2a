import 'reflect-metadata';
import { ValidationPipe, VersioningType } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { AccountService } from './accounts/account.service.js';
import { AppModule } from './app.module.js';
import { plainTransformer } from './plain-transformer.js';
import { DataInterceptor } from './ways/data.interceptor.js';
import { HostExceptionFilter } from './ways/host-exception.filter.js';

/** Starts the host on one of the platforms; on-express.ts and on-fastify.ts know which. */
export async function main(adapter: AbstractHttpAdapter): Promise<void> {
  const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
  app.enableCors({ origin: ['https://app.example.com'], exposedHeaders: ['x-request-id'] });
  app.setGlobalPrefix('api');
  app.enableVersioning({ type: VersioningType.URI });
  app.useGlobalPipes(
    new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transformerPackage: plainTransformer }),
  );
  app.useGlobalInterceptors(new DataInterceptor());
  app.useGlobalFilters(new HostExceptionFilter());
  app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
  for (const name of ['ada', 'bob']) await app.get(AccountService).create(name, 'correct horse');
  await app.listen(0, '127.0.0.1');
  console.log(`listening on ${await app.getUrl()}`);
}
