import { type Command, InvalidArgumentError } from 'commander';
import { columns, type Listing, widthsOf } from './command.js';

/** Makes one of pages of rows. */
export function listing<Row>(
  titles: string[],
  pages: AsyncIterable<Row[]>,
  cells: (row: Row) => string[],
  json: (row: Row) => unknown = (row) => row,
): Listing {
  const shown = async function* () {
    for await (const page of pages) yield page.map((row) => ({ cells: cells(row), json: json(row) }));
  };
  return { titles, rows: shown() };
}

/** Adds the options of a Page to a command. */
export function withPages(command: Command, key: string): Command {
  return command
    .option('--limit <n>', 'how many at most (default: all)', limit)
    .option(`--after <${key}>`, 'only what comes after this one in the list');
}

/** The table of a list; each column as wide as its first rows need. */
export async function* tableOf({ titles, rows }: Listing): AsyncGenerator<string> {
  let widths: number[] | undefined;
  for await (const page of rows) {
    const cells = page.map((row) => row.cells);
    const lines = widths ? cells : [titles.map((title) => title.toUpperCase()), ...cells];
    widths ??= widthsOf(lines);
    yield `${columns(lines, widths)}\n`;
  }
  if (!widths) yield 'none\n';
}

/** One array, a row a line. */
export async function* jsonOf({ rows }: Listing): AsyncGenerator<string> {
  let before = '[';
  for await (const page of rows) {
    yield before + page.map(({ json }) => JSON.stringify(json)).join(',\n');
    before = ',\n';
  }
  yield before === '[' ? '[]\n' : ']\n';
}

function limit(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(value);
}
