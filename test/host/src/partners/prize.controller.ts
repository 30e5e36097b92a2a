import { Controller, Get, UseGuards } from '@nestjs/common';
import { type AccessToken, AccessTokenGuard, BearerToken, RequireScopes } from 'nest-auth-service';

/** A route of the host that our tokens open. */
@Controller({ path: 'prize', version: '1' })
@UseGuards(AccessTokenGuard)
@RequireScopes('profile')
export class PrizeController {
  @Get()
  show(@BearerToken() { sub }: AccessToken): { for: string } {
    return { for: sub };
  }
}
