import type { Command } from 'commander';
import { MADE_DATABASE } from '../service/database-file.js';
import type { MakeAction } from '../base/commands/command.js';

export function register(program: Command, action: MakeAction): void {
  program
    .command('database')
    .description('care for the database')
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
}
