import type { DataSource } from 'typeorm';
import { quotedPath } from './naming.js';
import type { EntityClass } from './schema.js';

/** Collations that compare byte by byte, blanks at the end, too: MariaDB's, and MySQL's. */
const BYTES = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

interface TextColumn {
  name: string;
  type: string;
  nullable: 'YES' | 'NO';
  value: string | null;
}

/**
 * Has MySQL compare what is in our tables byte by byte, whoever has made them: its own way takes `WEB` for `web` and
 * `ålice` for `alice`. Changes nothing where that is so already.
 */
export async function compareBytes(dataSource: DataSource, entities: EntityClass[]): Promise<void> {
  const known = await dataSource.query<{ name: string }[]>(
    'SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS WHERE COLLATION_NAME IN (?, ?)',
    BYTES,
  );
  const collation = BYTES.find((name) => known.some((row) => row.name === name));
  if (collation === undefined) throw new Error('nest-auth needs MySQL 8.0.17 or MariaDB 10.2, or newer');
  for (const entity of entities) {
    const { tablePath, tableName, database } = dataSource.getMetadata(entity);
    const columns = await dataSource.query<TextColumn[]>(
      `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS value
       FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLLATION_NAME <> ?`,
      [database ?? dataSource.driver.database, tableName, collation],
    );
    if (columns.length === 0) continue;
    const charset = `CHARACTER SET utf8mb4 COLLATE ${collation}`;
    const changes = columns.map(({ name, type, nullable, value }) => {
      const preset = value === null || value === 'NULL' ? '' : ` DEFAULT ${quoted(value)}`;
      return `MODIFY ${dataSource.driver.escape(name)} ${type} ${charset}${nullable === 'NO' ? ' NOT NULL' : ''}${preset}`;
    });
    await dataSource.query(
      `ALTER TABLE ${quotedPath(dataSource, tablePath)} DEFAULT ${charset}, ${changes.join(', ')}`,
    );
  }
}

/** A default as SQL: MariaDB tells it so, MySQL without the quotes. */
function quoted(value: string): string {
  return value.startsWith("'") ? value : `'${value.replaceAll("'", "''")}'`;
}
