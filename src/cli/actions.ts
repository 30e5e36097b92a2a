import type { INestApplicationContext } from '@nestjs/common';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NestFactory } from '@nestjs/core';
import type { Command } from 'commander';
import type { Listing, MakeAction, Result } from '../base/commands/command.js';
import { jsonOf, tableOf } from '../base/commands/listing.js';
import { AppModule } from '../service/app.module.js';
import type { Settings } from '../service/settings.js';
import { AuthError, described } from '../base/errors/auth.error.js';

/** Actions that print their result as the program was asked to; any error is one line and exit code 1. */
export function actionsOf(program: Command, settings: () => Settings): MakeAction {
  return <A extends unknown[]>(
      work: (app: INestApplicationContext, ...args: A) => Promise<Result | Listing>,
      { makesDatabase = false } = {},
    ) =>
    async (...args: unknown[]) => {
      let app: INestApplicationContext | undefined;
      try {
        const newDatabase = makesDatabase ? 'make' : 'refuse';
        app = await NestFactory.createApplicationContext(AppModule.forRoot({ ...settings(), newDatabase }), {
          logger: false,
          abortOnError: false,
        });
        const result = await work(app, ...(args as A));
        if ('exitCode' in result) process.exitCode = result.exitCode;
        await print(result, program.opts<{ json?: true }>().json ?? false);
      } catch (error) {
        console.error(`nest-auth: ${problem(error)}`);
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

/** What is wrong, for people: of a refused field its name and why. */
function problem(error: unknown): string {
  if (error instanceof AuthError && error.fields) return error.fields.map(described).join('; ');
  return error instanceof Error ? error.message : String(error);
}
