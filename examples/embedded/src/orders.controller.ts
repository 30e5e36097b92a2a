import { Controller, Get, UseGuards } from '@nestjs/common';
import { type AccessToken, AccessTokenGuard, BearerToken, RequireScopes } from 'nest-auth-service/resource-server';

@Controller('orders')
@UseGuards(AccessTokenGuard)
@RequireScopes('orders')
export class OrdersController {
  @Get()
  list(@BearerToken() token: AccessToken) {
    return { orders: [], of: token.sub };
  }
}
