import { Controller, Delete, Get, Param, UseGuards } from '@nestjs/common';
import {
  type AccessToken,
  AccessTokenGuard,
  BearerToken,
  OptionalToken,
  RequireAuthentication,
  RequireGroups,
  RequireLiveSession,
  RequireScopes,
} from 'nest-auth-service/resource-server';

@Controller('orders')
@UseGuards(AccessTokenGuard)
@RequireScopes('orders')
export class OrdersController {
  @Get()
  list(@BearerToken() token: AccessToken) {
    return { orders: [], of: token.sub };
  }

  @Delete(':id')
  @RequireScopes('orders.cancel') // and `orders`, which the controller requires
  @RequireLiveSession() // a revoked session counts at once, not when its token expires
  cancel(@Param('id') id: string) {
    return { cancelled: id };
  }

  @Get('all')
  @RequireGroups('staff', ['support', 'sales']) // staff of support or of sales
  @RequireAuthentication({ maxAge: 300 }) // who has signed in within five minutes (RFC 9470)
  all() {
    return { orders: [] };
  }

  @Get('offers')
  @OptionalToken() // nobody needs a token, but a bad one is refused
  offers(@BearerToken() token?: AccessToken) {
    return { offers: [], of: token?.sub ?? null };
  }
}
