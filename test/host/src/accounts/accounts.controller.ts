import { Body, Controller, Get, Post } from '@nestjs/common';
import { Throttle } from '@nestjs/throttler';
import { IsString, MinLength } from 'class-validator';
import { AccountService } from './account.service.js';

class NewAccount {
  @IsString()
  name: string;

  @MinLength(8)
  password: string;
}

@Controller({ path: 'accounts', version: '1' })
export class AccountsController {
  constructor(private readonly accounts: AccountService) {}

  @Get()
  list(): Promise<string[]> {
    return this.accounts.names();
  }

  @Post()
  async create(@Body() { name, password }: NewAccount): Promise<{ name: string }> {
    await this.accounts.create(name, password);
    return { name };
  }

  @Get('broken')
  broken(): never {
    throw new Error('a fault of the host');
  }

  @Get('rare')
  @Throttle({ default: { limit: 2, ttl: 60_000 } })
  rare(): string {
    return 'twice a minute';
  }
}
