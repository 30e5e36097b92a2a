/** A part of a long list: what comes after one of its rows, and how many at most; left out: all. */
export interface Page<Key = string> {
  after?: Key;
  limit?: number;
}

const ROWS = 500;

/** A long list, so many rows at a time: however long it is, no more are in memory. */
export async function* pages<Row, Key = string>(
  read: (page: Page<Key>) => Promise<Row[]>,
  keyOf: (row: Row) => Key,
  { after, limit = Infinity }: Page<Key>,
): AsyncGenerator<Row[]> {
  for (let left = limit; left > 0;) {
    const wanted = Math.min(ROWS, left);
    const rows = await read({ after, limit: wanted });
    if (rows.length > 0) yield rows;
    if (rows.length < wanted) return;
    after = keyOf(rows.at(-1)!);
    left -= wanted;
  }
}
