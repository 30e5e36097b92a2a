import { Module } from '@nestjs/common';
import { AuthModule } from 'nest-auth-service';
import { FirstAccounts } from './first-accounts.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [
    AuthModule.forRoot({
      issuer: process.env.AUTH_ISSUER!, // where this application is reached: https://app.example.com
      secret: process.env.AUTH_SECRET!, // at least 32 characters: openssl rand -base64 32
      databaseUrl: 'sqlite:data/auth.sqlite', // or postgres://…, or mysql://…
      audience: 'https://api.example.com', // what the services that take its tokens are called
    }),
  ],
  controllers: [OrdersController],
  providers: [FirstAccounts],
})
export class AppModule {}
