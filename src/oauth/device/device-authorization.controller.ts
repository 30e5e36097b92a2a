import { All, Controller, Post, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
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
import { Public } from '../../base/http/public.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';

export class DeviceAuthorizationParameters {
  @Scope()
  scope?: string;
}

/** `POST /oauth2/device_authorization`: a device asks for its codes (RFC 8628 §3.1). */
@Controller({ path: 'oauth2/device_authorization', version: VERSION_NEUTRAL })
@Public()
@UseFilters(OAuthExceptionFilter)
@PublishesMetadata()
export class DeviceAuthorizationController implements MetadataPublisher {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly grants: GrantService,
    private readonly devices: DeviceAuthorizationService,
  ) {}

  @Post()
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
