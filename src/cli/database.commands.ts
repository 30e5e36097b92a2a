import { resolve } from 'node:path';
import type { Command } from 'commander';
import { MADE_DATABASE } from '../service/database-file.js';
import type { MakeAction } from '../base/commands/command.js';
import { DatabaseCare } from '../base/database/database-care.js';

export function register(program: Command, action: MakeAction): void {
  const database = program.command('database').description('care for the database');

  database
    .command('migrate')
    .description('bring the schema up to date (the service does so at its start), or make a new database')
    // an action opens the database, and that migrates it
    .action(
      action(
        async (app) => {
          const made = app.get<string | undefined>(MADE_DATABASE);
          return {
            text: made === undefined ? 'the database is up to date' : `a new database was made: ${made}`,
            json: { migrated: true, made },
          };
        },
        { makesDatabase: true },
      ),
    );

  database
    .command('backup <file>')
    .description('copy the database into a new file, while the service runs')
    .action(
      action(async (app, file: string) => {
        const bytes = await app.get(DatabaseCare).backup(resolve(file));
        return { text: `${megabytes(bytes)} written to ${file}`, json: { file: resolve(file), bytes } };
      }),
    );

  database
    .command('shrink')
    .description('give the room of deleted rows back; nothing can be written meanwhile')
    .action(
      action(async (app) => {
        const { before, after } = await app.get(DatabaseCare).shrink();
        const text = `${megabytes(before)} before, ${megabytes(after)} now`;
        return { text, json: { bytes_before: before, bytes: after } };
      }),
    );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
