import { Body, Controller, Module, type OnApplicationBootstrap, Post } from '@nestjs/common';
import { Matches } from 'class-validator';
import { ClientService } from 'nest-auth-service';
import { HostAuthModule } from '../host-auth.module.js';
import { LOTTO } from '../lotto/lotto.grant.js';
import { PrizeController } from './prize.controller.js';

class NewPartner {
  @Matches(/^[a-z-]+$/)
  id: string;
}

/** The host registers OAuth clients for its partners. */
@Controller({ path: 'partners', version: '1' })
export class PartnersController implements OnApplicationBootstrap {
  constructor(private readonly clients: ClientService) {}

  async onApplicationBootstrap(): Promise<void> {
    if (await this.clients.load('app')) return; // on another start, or in a command
    await this.clients.create({
      id: 'app',
      public: true,
      grant_types: ['password', 'refresh_token', LOTTO],
      scopes: ['openid', 'profile'],
      default_scope: ['profile'],
    });
    await this.clients.create({
      id: 'web',
      public: true,
      first_party: true, // asks for no consent
      grant_types: ['authorization_code', 'refresh_token'],
      scopes: ['openid', 'profile'],
      default_scope: ['profile'],
      redirect_uris: ['https://app.example.com/callback'],
    });
  }

  @Post()
  async register(@Body() { id }: NewPartner): Promise<{ client_id: string; client_secret?: string }> {
    const { secret } = await this.clients.create({
      id,
      grant_types: ['client_credentials'],
      scopes: ['read'],
      default_scope: ['read'],
    });
    return { client_id: id, client_secret: secret };
  }
}

@Module({ imports: [HostAuthModule], controllers: [PartnersController, PrizeController] })
export class PartnersModule {}
