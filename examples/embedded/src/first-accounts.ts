import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ClientService, UserService } from 'nest-auth-service';

/** Registers the first client and the first user, where there are none yet. */
@Injectable()
export class FirstAccounts implements OnApplicationBootstrap {
  constructor(
    private readonly clients: ClientService,
    private readonly users: UserService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!(await this.users.load('ada'))) {
      await this.users.create({ username: 'ada', password: process.env.ADA_PASSWORD!, groups: ['staff'] });
    }
    if (!(await this.clients.find('web'))) {
      await this.clients.create({
        id: 'web',
        public: true,
        grant_types: ['password', 'refresh_token'],
        scopes: ['openid', 'profile', 'orders'],
        default_scope: ['orders'], // where it asks for none
      });
    }
  }
}
