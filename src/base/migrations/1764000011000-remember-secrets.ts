import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, Tables } from '../database/tables.js';

export class RememberSecrets1764000011000 implements MigrationInterface {
  name = 'RememberSecrets1764000011000';

  async up(runner: QueryRunner): Promise<void> {
    await new Tables(runner).create('auth_secret_use', [
      column.id('id', 16),
      column.moment('first_used_at'),
      column.moment('last_used_at'),
    ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop('auth_secret_use');
  }
}
