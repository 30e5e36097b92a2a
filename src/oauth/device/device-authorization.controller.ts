import { All, Post, UseFilters, UseGuards } from '@nestjs/common';
import { AuthController } from '../../base/http/auth-controller.js';
import { ClientAuthenticator } from '../../core/clients/client-authenticator.js';
import { clientCredentialsOf } from '../../core/clients/client-credentials.js';
import { Scope } from '../../core/clients/scope.js';
import { type MetadataPublisher, PublishesMetadata, type ServerMetadata } from '../../base/metadata/server-metadata.js';
import { methodNotAllowed } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Http } from '../../base/http/exchange-of.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { validated } from '../../base/http/validated.js';
import { AuthThrottlerGuard } from '../../core/throttling/auth-throttler.guard.js';
import { GrantService } from '../../token/grant.service.js';
import { ParametersGuard } from '../../base/http/parameters.guard.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';
import { Operation } from '../../base/openapi/operation.js';
import { DEVICE_AUTHORIZATION } from '../../core/devices/device.models.js';

export class DeviceAuthorizationParameters {
  @Scope()
  scope?: string;
}

/** `POST /oauth2/device_authorization`: a device asks for its codes (RFC 8628 §3.1). */
@AuthController('oauth2/device_authorization')
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class DeviceAuthorizationController implements MetadataPublisher {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly grants: GrantService,
    private readonly devices: DeviceAuthorizationService,
  ) {}

  @Post()
  @Operation({
    summary: 'Codes for a device to sign in by',
    by: 'client',
    body: DeviceAuthorizationParameters,
    answer: DEVICE_AUTHORIZATION,
  })
  @UseGuards(ParametersGuard, AuthThrottlerGuard)
  async start(@Http() http: HttpExchange): Promise<void> {
    const client = await this.authenticator.authenticate(clientCredentialsOf(http), http.requestId);
    this.grants.allowed(client, 'urn:ietf:params:oauth:grant-type:device_code');
    const { scope } = validated(DeviceAuthorizationParameters, http.parameters);
    http.json(200, await this.devices.start(client, scope));
  }

  @All()
  methodNotAllowed(): never {
    throw methodNotAllowed('POST');
  }

  metadata(url: (path: string) => string): ServerMetadata {
    return { device_authorization_endpoint: url('/oauth2/device_authorization') };
  }
}
