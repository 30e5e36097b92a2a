import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { style } from './templates/style.js';
import { PAGES } from './views.js';

export function register(program: Command): void {
  const pages = program.command('pages').description('look after the pages that users see');

  pages
    .command('export <folder>')
    .description(
      'write our templates and style.css into a folder for you to change (AUTH_TEMPLATES); keep only what you do',
    )
    .action(async (folder: string) => {
      const files = Object.entries(PAGES.templates).map(([name, text]) => [`${name}.eta`, text] as const);
      await mkdir(folder, { recursive: true });
      try {
        for (const [name, text] of [...files, ['style.css', style] as const]) {
          await writeFile(join(folder, name), text.trimStart(), { flag: 'wx' });
        }
        console.log(`${files.length} templates and style.css written to ${folder}`);
      } catch (error) {
        console.error(`nest-auth: ${(error as Error).message}`);
        process.exitCode = 1;
      }
    });
}
