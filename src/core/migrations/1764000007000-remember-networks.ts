import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

const text = (name: string, length: number) =>
  new TableColumn({ name, type: 'varchar', length: String(length), isNullable: true });

/** What a session remembers of the networks that its token was exchanged in, and a retry window of a client's own. */
export class RememberNetworks1764000007000 implements MigrationInterface {
  name = 'RememberNetworks1764000007000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumns('auth_session', [
      text('rotated_by_network', 22),
      text('repeated_networks', 45),
      new TableColumn({ name: 'repeated_generation', type: 'integer', default: '0' }),
    ]);
    await runner.addColumn(
      'auth_client',
      new TableColumn({ name: 'refresh_retry_window', type: 'integer', isNullable: true }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('auth_client', 'refresh_retry_window');
    await runner.dropColumns('auth_session', ['rotated_by_network', 'repeated_networks', 'repeated_generation']);
  }
}
