import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';
import { CreateVerifications1763880000001 } from './1763880000001-create-verifications.js';

const { id, text, moment, integer } = column;

/**
 * A row a code, bound to its client and purpose, and what was sent counted apart. The codes that are under way are
 * dropped: they live for minutes, and whoever waits for one asks again.
 */
export class BindVerifications1764000006000 implements MigrationInterface {
  name = 'BindVerifications1764000006000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.drop('auth_verification');
    await tables.create(
      'auth_verification',
      [
        id('id', 22),
        text('client_id', 128),
        text('purpose', 16),
        text('target', 43),
        nullable(text('sub', 255)),
        text('code_hash', 43),
        integer('tries_left'),
        nullable(text('token_hash', 43)),
        moment('expires_at'),
      ],
      { ix_auth_verification_target: 'target', ix_auth_verification_expires: 'expires_at' },
    );
    await tables.create(
      'auth_verification_allowance',
      [id('owner', 43), moment('sent_at'), integer('sends'), moment('day_began_at')],
      { ix_auth_verification_allowance_day: 'day_began_at' },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop('auth_verification_allowance', 'auth_verification');
    await new CreateVerifications1763880000001().up(runner);
  }
}
