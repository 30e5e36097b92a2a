import { text } from 'node:stream/consumers';
import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';

/** What a command found or did: lines for people, and the same as JSON. */
export interface Result {
  text: string;
  json: unknown;
  /** What the command exits with. Default: 0. */
  exitCode?: number;
}

/** A long list that a command found, some rows at a time: cells for people, and the same as JSON. */
export interface Listing {
  titles: string[];
  rows: AsyncIterable<{ cells: string[]; json: unknown }[]>;
}

/** Makes a command's action of its work: the service's providers and the command's own arguments in, a result out. */
export type MakeAction = <A extends unknown[]>(
  work: (app: INestApplicationContext, ...args: A) => Promise<Result | Listing>,
  options?: {
    /** Whether it may make a database where there is none; without that, a mistyped path is an error. */
    makesDatabase?: boolean;
  },
) => (...args: unknown[]) => Promise<void>;

/** A file of commands of `nest-auth` (`@AuthFeature`). */
export interface CommandModule {
  register(program: Command, action: MakeAction): void;
}

/** What came on standard input, without the line's end. */
export async function standardInput(what: string): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write(`Type the ${what}, then Enter and Ctrl-D:\n`);
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}

/** An option's value of words between commas. */
export function list(value: string): string[] {
  return value
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}

/** Columns below their titles. */
export function table(titles: string[], rows: string[][]): string {
  return rows.length === 0 ? 'none' : columns([titles.map((title) => title.toUpperCase()), ...rows]);
}

/** A line for each value. */
export function describe(values: object): string {
  return columns(Object.entries(values).map(([name, value]) => [name, shown(name, value)]));
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

export function moment(ms: number): string {
  return new Date(ms).toISOString();
}

function shown(name: string, value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '-';
  if (typeof value === 'number' && name.endsWith('_at')) return moment(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function widthsOf(rows: string[][]): number[] {
  return rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
}

export function columns(rows: string[][], widths = widthsOf(rows)): string {
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
