import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Command } from 'commander';
import type { MakeAction, Result } from '../base/commands/command.js';
import { AppModule } from '../service/app.module.js';
import type { Settings } from '../service/settings.js';
import { AuthError, described } from '../base/errors/auth.error.js';

/** Actions that print their result as the program was asked to; any error is one line and exit code 1. */
export function actionsOf(program: Command, settings: () => Settings): MakeAction {
  return <A extends unknown[]>(work: (app: INestApplicationContext, ...args: A) => Promise<Result>) =>
    async (...args: unknown[]) => {
      let app: INestApplicationContext | undefined;
      try {
        app = await NestFactory.createApplicationContext(AppModule.forRoot(settings()), {
          logger: false,
          abortOnError: false,
        });
        const result = await work(app, ...(args as A));
        console.log(program.opts<{ json?: true }>().json ? JSON.stringify(result.json) : result.text);
      } catch (error) {
        console.error(`nest-auth: ${problem(error)}`);
        process.exitCode = 1;
      } finally {
        await app?.close();
      }
    };
}

/** What is wrong, for people: of a refused field its name and why. */
function problem(error: unknown): string {
  if (error instanceof AuthError && error.fields) return error.fields.map(described).join('; ');
  return error instanceof Error ? error.message : String(error);
}
