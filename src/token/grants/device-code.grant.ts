import { Clock } from '../../base/clock.js';
import { DeviceAuthorizationService } from '../../core/devices/device-authorization.service.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { stillAllowed } from '../../core/clients/scope.js';
import { givenByCode } from '../../core/sessions/account-access.js';
import type { Party } from '../../core/sessions/lease.js';
import { GrantHandler, type Grant } from '../grant.js';
import { Code, Nonce } from '../rules.js';
import { TokenIssuer } from '../token-issuer.js';
import type { TokenResponse } from '../token-response.js';

export class DeviceCodeParameters {
  @Code()
  device_code: string;

  @Nonce()
  nonce?: string;
}

/** Device code (RFC 8628 §3.4): a device asks again and again until its user has answered elsewhere. */
@GrantHandler(['urn:ietf:params:oauth:grant-type:device_code', 'device_code'], DeviceCodeParameters)
export class DeviceCodeGrant implements Grant<DeviceCodeParameters> {
  constructor(
    private readonly devices: DeviceAuthorizationService,
    private readonly tokens: TokenIssuer,
    private readonly clock: Clock,
  ) {}

  async exchange({ device_code, nonce }: DeviceCodeParameters, party: Party): Promise<TokenResponse> {
    const device = await this.devices.find(device_code);
    if (!device || device.client_id !== party.client.id || device.status === 'used') {
      throw new AuthError('invalid_grant', { reason: 'DEVICE_CODE_INVALID' });
    }
    if (device.expires_at <= this.clock.now()) {
      throw new AuthError('expired_token', { reason: 'DEVICE_CODE_EXPIRED' });
    }
    if (device.status === 'denied') throw new AuthError('access_denied', { reason: 'ACCESS_DENIED' });
    if (device.status === 'pending') {
      if (await this.devices.poll(device)) {
        throw new AuthError('authorization_pending', { reason: 'AUTHORIZATION_PENDING', retryAfter: device.interval });
      }
      throw new AuthError('slow_down', { reason: 'POLLING_TOO_FAST', retryAfter: device.interval + 5 });
    }
    const response = await this.tokens.signIn(party, {
      sub: device.sub!,
      scope: stillAllowed(party.client, device.scope),
      authenticatedAt: device.authenticated_at!,
      version: device.credentials_version,
      accountAccess: givenByCode(party.client, device.scope, !party.client.public),
      nonce,
      consume: () => this.devices.consume(device),
    });
    if (!response) throw new AuthError('invalid_grant', { reason: 'DEVICE_CODE_INVALID' });
    return response;
  }
}
