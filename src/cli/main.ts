#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { addClientCommands } from '../core/clients/clients.commands.js';
import { actionsOf } from './command.js';
import { addDatabaseCommands } from './database.commands.js';
import { addKeyCommands } from '../core/keys/keys.commands.js';
import { addSessionCommands } from '../core/sessions/sessions.commands.js';
import { addUserCommands } from '../core/users/users.commands.js';
import { readSettings } from '../service/settings.js';

const EXAMPLES = `
Examples:
  nest-auth clients create web --public --redirect-uri https://app.example.com/callback
  printf %s "$PASSWORD" | nest-auth users create alice --password-stdin
  nest-auth --json sessions list --user alice
`;

const program = new Command('nest-auth')
  .description(
    'Operates the auth service. It reads the same environment as the service and works beside a running one.',
  )
  .option('--json', 'print JSON')
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({ outputError: (line, write) => write(line.replace(/^error: /, 'nest-auth: ')) })
  .addHelpText('after', EXAMPLES);

const action = actionsOf(program, () => readSettings(process.env));
addClientCommands(program, action);
addUserCommands(program, action);
addSessionCommands(program, action);
addKeyCommands(program, action);
addDatabaseCommands(program, action);

await program.parseAsync();
