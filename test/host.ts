import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule, type AuthModuleExtras, type AuthOptions, authSchema, Clock } from '../src/index.js';
import { FakeClock, ISSUER, SECRET } from './service.js';

/** A foreign Nest application that imports the module by its public API, with Nest's defaults for everything else. */
export interface Host {
  app: INestApplication;
  clock: FakeClock;
  url: string;
  close(): Promise<void>;
}

export async function startHost(
  own: ModuleMetadata = {},
  options: Partial<AuthOptions & AuthModuleExtras> = {},
): Promise<Host> {
  const { without, providers = [] } = options;
  const dir = mkdtempSync(join(tmpdir(), 'host-'));
  const clock = new FakeClock();
  const module = await Test.createTestingModule({
    ...own,
    imports: [
      ...(own.imports ?? []),
      TypeOrmModule.forRoot({
        type: 'sqlite',
        database: join(dir, 'app.sqlite'),
        ...authSchema({ without }),
        migrationsRun: true,
      }),
      AuthModule.forRoot({
        issuer: ISSUER,
        secret: SECRET,
        openapi: false,
        ...options,
        providers: [{ provide: Clock, useValue: clock }, ...providers],
      }),
    ],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  return {
    app,
    clock,
    url: await app.getUrl(),
    close: async () => {
      await app.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
