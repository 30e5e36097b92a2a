import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type User, Users } from 'nest-auth-service';
import { Repository } from 'typeorm';
import { settings } from '../settings.js';
import { Account } from './account.entity.js';

const SALT = randomBytes(16);

/** The host's own users, in its own table. */
@Injectable()
export class AccountService extends Users {
  constructor(@InjectRepository(Account, settings.dataSource) private readonly accounts: Repository<Account>) {
    super();
  }

  async create(name: string, password: string): Promise<void> {
    await this.accounts.insert({ name, password_hash: hash(password) });
  }

  async names(): Promise<string[]> {
    return (await this.accounts.find({ order: { name: 'ASC' } })).map(({ name }) => name);
  }

  async verify(name: string, password: string): Promise<User | undefined> {
    const account = await this.accounts.findOneBy({ name });
    const matches = timingSafeEqual(Buffer.from(account?.password_hash ?? hash('')), Buffer.from(hash(password)));
    return account && matches ? toUser(account) : undefined;
  }

  async find(sub: string): Promise<User | undefined> {
    const account = await this.accounts.findOneBy({ name: sub.replace('account:', '') });
    return account ? toUser(account) : undefined;
  }
}

function toUser({ name }: Account): User {
  return { sub: `account:${name}`, groups: ['players'], disabled: false };
}

function hash(password: string): string {
  return scryptSync(password, SALT, 32).toString('hex');
}
