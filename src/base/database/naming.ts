import type { DataSource, EntityMetadata, EntityTarget } from 'typeorm';

/**
 * What a data source calls our tables and columns, by its schema, its prefix and its naming strategy. Our SQL is written
 * in the words of the entities; these are quoted, so it does not matter which of them the engine has reserved.
 */
export class Naming {
  private readonly words = new Map<string, string>();
  private readonly properties = new Map<string, string>();

  constructor(dataSource: DataSource, entities: EntityTarget<object>[]) {
    for (const entity of entities) {
      const metadata = dataSource.getMetadata(entity);
      this.words.set(givenName(metadata), quotedPath(dataSource, metadata.tablePath));
      for (const { propertyName, databaseName } of metadata.columns) {
        this.words.set(propertyName, dataSource.driver.escape(databaseName));
        if (databaseName !== propertyName) this.properties.set(databaseName, propertyName);
      }
    }
  }

  /** Our SQL in these names: every word in lower case is one of ours, or an alias. */
  sql(ours: string): string {
    return ours.replace(/\b[a-z][a-z_]*\b/g, (word) => this.words.get(word) ?? word);
  }

  /** Rows with the names of properties. */
  rows(rows: object[]): object[] {
    if (this.properties.size === 0) return rows;
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [this.properties.get(name) ?? name, value])),
    );
  }
}

/** A table's path (its schema, if it has one, and its name) as SQL. */
export function quotedPath({ driver }: DataSource, path: string): string {
  return path
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
}

/** The name that the entity's decorator has. */
function givenName({ tableNameWithoutPrefix, givenTableName }: EntityMetadata): string {
  return givenTableName ?? tableNameWithoutPrefix;
}
