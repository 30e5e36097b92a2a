#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { featureOf } from '../base/feature.js';
import { readSettings } from '../service/settings.js';
import { VERSION } from '../service/version.js';
import { wings } from '../wings.js';
import { actionsOf } from './actions.js';
import * as database from './database.commands.js';

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
  .version(VERSION, '--version', 'print the version')
  .option('--json', 'print JSON')
  .option('--app <file>', 'work in your own application: the file of its AppModule, or file#export')
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({ outputError: (line, write) => write(line.replace(/^error: /, 'nest-auth: ')) })
  .addHelpText('after', EXAMPLES);

const action = actionsOf(program, () => readSettings(process.env));
const loading = wings().flatMap((wing) => (featureOf(wing).commands ?? []).map((load) => load()));
for (const commands of [...(await Promise.all(loading)), database]) commands.register(program, action);

await program.parseAsync();
