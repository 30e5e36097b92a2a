import type { ColumnOptions, ValueTransformer } from 'typeorm';

const asNumber: ValueTransformer = {
  to: (value: number | null) => value,
  // pg and mysql2 return bigint as a string
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/** A moment: milliseconds since the Unix epoch. */
export const MOMENT: ColumnOptions = { type: 'bigint', transformer: asNumber };

const asList: ValueTransformer = {
  to: (value: string[]) => value.join(' '),
  // a column that was added later is null in older rows
  from: (value: string | null) => (value === null || value === '' ? [] : value.split(' ')),
};

/** A list of words without spaces (scopes, grant types, URIs), stored as OAuth writes scopes. */
export const WORDS: ColumnOptions = { type: 'text', transformer: asList };

/** The words of such a list, as the database returns it. */
export function wordsOf(list: string): string[] {
  return list.split(' ').filter(Boolean);
}

/** A list of free strings, stored as JSON. */
export const STRINGS: ColumnOptions = { type: 'simple-json' };
