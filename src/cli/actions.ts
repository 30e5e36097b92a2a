import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Command } from 'commander';
import type { MakeAction, Result } from '../base/commands/command.js';
import { AppModule } from '../service/app.module.js';
import type { Settings } from '../service/settings.js';

/** Actions that print their result as the program was asked to; any error is one line and exit code 1. */
export function actionsOf(program: Command, settings: () => Settings): MakeAction {
  return <A extends unknown[]>(
      work: (app: INestApplicationContext, ...args: A) => Promise<Result>,
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
        console.log(program.opts<{ json?: true }>().json ? JSON.stringify(result.json) : result.text);
      } catch (error) {
        console.error(`nest-auth: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      } finally {
        await app?.close();
      }
    };
}
