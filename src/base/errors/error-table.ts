import type { Language } from '../languages.js';

/** What a caller reads, in each language the service speaks. */
export interface Sentence extends Record<Language, string> {
  /** Where the standard's word for this reason is not the row's. */
  oauth?: OAuthWord;
}

/** What the standards call a failure: the `error` and the HTTP status of RFC 6749, 6750, 7009, 8628 and OpenID Connect. */
export interface OAuthWord {
  error: string;
  status: number;
}

/** A failure of the service: the one place that knows its statuses, codes and sentences. */
export interface ErrorRow {
  /** The word of the contract: `error` in the body. */
  error: string;
  /** HTTP status. */
  status: number;
  /** Number of google.rpc.Code. */
  code: number;
  /** HTTP status × 100 + a serial number; never 0, never reused. */
  error_code: number;
  /** The same failure in the words of the standards, under /oauth2. */
  oauth: OAuthWord;
  /** The sentence for a reason that has none of its own (a host's own grant, say). */
  sentence: Sentence;
  /** google.rpc.ErrorInfo.reason → its own sentence. */
  reasons: Record<string, Sentence>;
}

/** The rows that a module brings (`@AuthFeature`); `reasons` alone adds to a row of a module below it. */
export type ErrorTable = Record<string, ErrorRow | Pick<ErrorRow, 'reasons'>>;

/**
 * The tables by name, for the types of AuthError: each module declares its own into it.
 *
 * The official SDK reads categories out of the words: "password" and "not found" stand only where they mean it.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by declaration merging
export interface ErrorTables {}

/** A row of the catalogue. */
export type ErrorCode = { [T in keyof ErrorTables]: keyof ErrorTables[T] }[keyof ErrorTables];

type ReasonsOf<C> = {
  [T in keyof ErrorTables]: C extends keyof ErrorTables[T]
    ? ErrorTables[T][C] extends { reasons: infer Reasons }
      ? keyof Reasons & string
      : never
    : never;
}[keyof ErrorTables];

/** A reason listed under a row; a host's own grant may bring its own, in UPPER_SNAKE_CASE. */
export type Reason<C extends ErrorCode> = ReasonsOf<C> | (string & {});

export const say = (en: string, zh: string, oauth?: OAuthWord): Sentence => ({
  en,
  'zh-CN': zh,
  ...(oauth && { oauth }),
});
export const oauth = (error: string, status: number): OAuthWord => ({ error, status });

/**
 * Puts tables together.
 * @throws Error where two have a row, or a reason of a row, of one name, or there is no row to add to
 */
export function joinTables(tables: ErrorTable[]): Record<string, ErrorRow> {
  const rows: Record<string, ErrorRow> = {};
  const entries = tables.flatMap((table) => Object.entries(table));
  for (const [code, row] of entries) {
    if (!('error_code' in row)) continue;
    if (rows[code]) throw new Error(`two tables have a row for the error ${code}`);
    rows[code] = { ...row, reasons: { ...row.reasons } };
  }
  for (const [code, row] of entries) {
    if ('error_code' in row) continue;
    const { reasons } = rows[code] ?? {};
    if (!reasons) throw new Error(`no table has a row for the error ${code}, to which reasons are added`);
    for (const [reason, sentence] of Object.entries(row.reasons)) {
      if (reasons[reason]) throw new Error(`two tables have the reason ${reason} of the error ${code}`);
      reasons[reason] = sentence;
    }
  }
  return rows;
}
