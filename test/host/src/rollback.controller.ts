import { Body, Controller, Delete, Post } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsBoolean } from 'class-validator';
import { DataSource, type QueryRunner } from 'typeorm';
import { Account } from './accounts/account.entity.js';
import { settings } from './settings.js';

class NewTransaction {
  /** Whether it writes, and so locks the database, at once or only before its end. */
  @IsBoolean()
  writeAtOnce: boolean;
}

/** A transaction of the host that stays open between two requests, and ends in a rollback. */
@Controller({ path: 'rollback', version: '1' })
export class RollbackController {
  private runner: QueryRunner;

  constructor(@InjectDataSource(settings.dataSource) private readonly dataSource: DataSource) {}

  @Post()
  async begin(@Body() { writeAtOnce }: NewTransaction): Promise<string> {
    this.runner = this.dataSource.createQueryRunner();
    await this.runner.startTransaction();
    if (writeAtOnce) await this.write('early');
    return 'open';
  }

  @Delete()
  async end(): Promise<string> {
    await this.write('late');
    await this.runner.rollbackTransaction();
    return 'rolled back';
  }

  private async write(name: string): Promise<void> {
    await this.runner.manager.insert(Account, { name, password_hash: '' });
  }
}
