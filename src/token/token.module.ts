import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AuthFeature } from '../base/feature.js';
import { GrantService } from './grant.service.js';
import { AuthorizationCodeGrant } from './grants/authorization-code.grant.js';
import { ClientCredentialsGrant } from './grants/client-credentials.grant.js';
import { DeviceCodeGrant } from './grants/device-code.grant.js';
import { PasswordGrant } from './grants/password.grant.js';
import { RefreshTokenGrant } from './grants/refresh-token.grant.js';
import { JwksController } from './jwks.controller.js';
import { OwnClaims } from './claims/own-claims.js';
import { OwnClaimsService } from './claims/own-claims.service.js';
import { TokenIssuer } from './token-issuer.js';
import { TokenController } from './token.controller.js';
import { TOKEN_ERRORS } from './token.errors.js';

/** The token endpoint with the grants of the RFCs, and the keys that its tokens verify with. */
@AuthFeature({
  underRoutePrefix: true,
  errors: TOKEN_ERRORS,
  commands: [() => import('./commands/clients.commands.js')],
})
@Module({
  imports: [DiscoveryModule],
  controllers: [TokenController, JwksController],
  providers: [
    GrantService,
    OwnClaims,
    OwnClaimsService,
    TokenIssuer,
    PasswordGrant,
    RefreshTokenGrant,
    AuthorizationCodeGrant,
    DeviceCodeGrant,
    ClientCredentialsGrant,
  ],
  exports: [GrantService, OwnClaimsService, TokenIssuer],
})
export class TokenModule {}
