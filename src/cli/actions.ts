import type { INestApplicationContext, Type } from '@nestjs/common';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { Command } from 'commander';
import type { Listing, MakeAction, Result } from '../base/commands/command.js';
import { jsonOf, tableOf } from '../base/commands/listing.js';
import { AppModule } from '../service/app.module.js';
import { asSetting, type Settings } from '../service/settings.js';
import { Catalogue } from '../base/errors/catalogue.js';
import { AuthError, described } from '../base/errors/auth.error.js';

/** Actions that print their result as the program was asked to; any error is one line and exit code 1. */
export function actionsOf(program: Command, settings: () => Settings): MakeAction {
  return <A extends unknown[]>(
      work: (app: INestApplicationContext, ...args: A) => Promise<Result | Listing>,
      { makesDatabase = false } = {},
    ) =>
    async (...args: unknown[]) => {
      let app: INestApplicationContext | undefined;
      const { app: file } = program.opts<{ app?: string }>();
      try {
        if (file !== undefined && makesDatabase) throw new Error('the database of an application is its own to make');
        const newDatabase = makesDatabase ? 'make' : 'refuse';
        const module = file === undefined ? AppModule.forRoot({ ...settings(), newDatabase }) : await moduleIn(file);
        app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
        const result = await work(app, ...(args as A));
        if ('exitCode' in result) process.exitCode = result.exitCode;
        await print(result, program.opts<{ json?: true }>().json ?? false);
      } catch (error) {
        console.error(`nest-auth: ${problem(file === undefined ? asSetting(error) : error, app)}`);
        process.exitCode = 1;
      } finally {
        if (app) await app.close();
        else process.exit(); // what did not come up has left connections open: mysql2 would keep the process for a minute
      }
    };
}

/** No faster than it is read; who has read enough (`| head`) need not read on. */
async function print(result: Result | Listing, json: boolean): Promise<void> {
  const text =
    'rows' in result ? (json ? jsonOf : tableOf)(result) : [`${json ? JSON.stringify(result.json) : result.text}\n`];
  await pipeline(Readable.from(text), process.stdout, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/**
 * The module of an application that imports AuthModule, so that a command knows its grants, options and database.
 * @param name `file`, whose export is AppModule or the default one, or `file#export`
 */
async function moduleIn(name: string): Promise<Type> {
  const [file = '', exported] = name.split('#');
  const found = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const names = exported === undefined ? ['AppModule', 'default'] : [exported];
  const module = names.map((one) => found[one]).find((one) => typeof one === 'function');
  if (module === undefined) throw new Error(`${file} exports no module ${names.join(', and no ')}`);
  return module as Type;
}

/** What is wrong, for people: of a refused field its name and why, else the sentence that callers are told. */
function problem(error: unknown, app?: INestApplicationContext): string {
  if (error instanceof AuthError && error.fields) return error.fields.map(described).join('; ');
  if (error instanceof AuthError && app) return app.get(Catalogue).sentence(error as AuthError).en;
  return error instanceof Error ? error.message : String(error);
}
