import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { settings } from '../settings.js';
import { Account } from './account.entity.js';
import { AccountService } from './account.service.js';
import { AccountsController } from './accounts.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Account], settings.dataSource)],
  controllers: [AccountsController],
  providers: [AccountService],
  exports: [AccountService],
})
export class AccountsModule {}
