import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

const TABLE = 'auth_device_authorization';
const INDEX = 'ix_auth_device_authorization_claimed';

export class ClaimUserCodes1764000004000 implements MigrationInterface {
  name = 'ClaimUserCodes1764000004000';

  async up(runner: QueryRunner): Promise<void> {
    const column = new TableColumn({ name: 'claimed_by', type: 'varchar', length: '64', isNullable: true });
    await runner.addColumn(TABLE, column);
    await runner.createIndex(TABLE, new TableIndex({ name: INDEX, columnNames: [column.name] }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex(TABLE, INDEX);
    await runner.dropColumn(TABLE, 'claimed_by');
  }
}
