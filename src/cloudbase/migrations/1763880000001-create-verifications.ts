import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const { id, text, moment, integer } = column;

/** Where its table is there already, an earlier release made it by AddUserProfilesAndVerifications1763880000000. */
export class CreateVerifications1763880000001 implements MigrationInterface {
  name = 'CreateVerifications1763880000001';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    if (await tables.has('auth_verification')) return;
    await tables.create(
      'auth_verification',
      [
        id('target', 43),
        text('id', 22),
        nullable(text('sub', 255)),
        text('code_hash', 43),
        integer('tries_left'),
        nullable(text('token_hash', 43)),
        moment('sent_at'),
        moment('expires_at'),
        integer('sends'),
        moment('day_began_at'),
      ],
      { uq_auth_verification_id: 'id', ix_auth_verification_day: 'day_began_at' },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop('auth_verification');
  }
}
