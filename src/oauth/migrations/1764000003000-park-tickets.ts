import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, Tables } from '../../base/database/tables.js';

const { id, words, moment } = column;

export class ParkTickets1764000003000 implements MigrationInterface {
  name = 'ParkTickets1764000003000';

  async up(runner: QueryRunner): Promise<void> {
    await new Tables(runner).create('auth_parked_ticket', [id('hash', 43), words('ticket'), moment('expires_at')], {
      ix_auth_parked_ticket_expires: 'expires_at',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop('auth_parked_ticket');
  }
}
