import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class ParkTickets1764000003000 implements MigrationInterface {
  name = 'ParkTickets1764000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'auth_parked_ticket',
        columns: [
          { name: 'hash', type: 'varchar', length: '43', isPrimary: true },
          { name: 'ticket', type: 'text' },
          { name: 'expires_at', type: 'bigint' },
        ],
        indices: [{ name: 'ix_auth_parked_ticket_expires', columnNames: ['expires_at'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('auth_parked_ticket');
  }
}
