import type { MigrationInterface } from 'typeorm';

export type EntityClass = new () => object;
export type MigrationClass = new () => MigrationInterface;

/** What a data source needs to know of tables. */
export interface Schema {
  entities: EntityClass[];
  /** In the order of the moments in their names. */
  migrations: MigrationClass[];
}
