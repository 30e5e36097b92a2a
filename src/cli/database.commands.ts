import type { Command } from 'commander';
import type { MakeAction } from '../base/commands/command.js';

export function register(program: Command, action: MakeAction): void {
  program
    .command('database')
    .description('care for the database')
    .command('migrate')
    .description('bring the schema up to date (the service does so at its start)')
    // an action opens the database, and that migrates it
    .action(action(async () => ({ text: 'the database is up to date', json: { migrated: true } })));
}
