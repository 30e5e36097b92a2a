/** Makes a database, or empties the one that is there. */
export function empty(target: URL): Promise<void>;
/** Drops the databases of a server whose names begin so. */
export function drop(server: URL, prefix: string): Promise<void>;
/** What a statement returns. */
export function query(target: URL, sql: string): Promise<object[]>;
