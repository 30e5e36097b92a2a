import { Module } from '@nestjs/common';
import { ResourceServerModule } from 'nest-auth-service/resource-server';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [
    ResourceServerModule.forRoot({
      issuer: process.env.AUTH_ISSUER!, // https://auth.example.com
      audience: 'https://api.example.com', // what this service is called there: `aud` of its tokens
      client: { id: 'orders', secret: process.env.AUTH_CLIENT_SECRET! }, // for @RequireLiveSession() alone
    }),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
