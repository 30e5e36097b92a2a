import { Module } from '@nestjs/common';
import { AuthModule, type AuthOptions, Users } from 'nest-auth-service';
import { AccountService } from './accounts/account.service.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { settings } from './settings.js';

const options: AuthOptions = {
  issuer: 'https://auth.example.com/api', // with the host's prefix
  secret: 'a-secret-of-the-host-0123456789-0123456789',
  limitAccount: { requests: 6, seconds: 300 },
};

/** How AuthModule fits into the host: its data source, and its own accounts for users. */
const fitting = {
  dataSource: settings.dataSource,
  imports: [AccountsModule],
  providers: [{ provide: Users, useExisting: AccountService }],
};

/** Imports AuthModule once; the host's other modules import this one to get at its services. */
@Module({
  imports: [
    settings.asyncOptions
      ? AuthModule.forRootAsync({ ...fitting, useFactory: () => Promise.resolve(options) })
      : AuthModule.forRoot({ ...options, ...fitting }),
  ],
  exports: [AuthModule],
})
export class HostAuthModule {}
