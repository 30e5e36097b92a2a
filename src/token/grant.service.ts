import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { CaptchaAction } from '../core/captcha/captcha.js';
import type { Client } from '../core/clients/client.entity.js';
import { requestScopedIn } from '../base/request-scope.js';
import { AuthError } from '../base/errors/auth.error.js';
import type { Parameters } from '../base/http/parameters.js';
import { missing, tooLong } from '../base/http/rules.js';
import { validated } from '../base/http/validated.js';
import type { Party } from '../core/sessions/lease.js';
import { type Grant, type GrantRegistration, registrationOf } from './grant.js';
import type { TokenResponse } from './token-response.js';

interface RegisteredGrant extends GrantRegistration {
  handler: Grant;
}

const MAX_GRANT_TYPE = 128;

/** The registry of grant handlers: finds them in every module, and hands each request to the one it names. */
@Injectable()
export class GrantService implements OnModuleInit {
  private readonly grants = new Map<string, RegisteredGrant>();

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    for (const wrapper of this.discovery.getProviders()) {
      const metatype = wrapper.metatype;
      const registration = registrationOf(metatype);
      if (!metatype || !registration) continue;
      if (!wrapper.isDependencyTreeStatic()) {
        const name = requestScopedIn(wrapper); // a host's own Users, say
        const by = name === metatype.name ? '' : `: the grant ${metatype.name} stands on it`;
        throw new Error(`${name} must not be request-scoped${by}`);
      }
      if (wrapper.instance) this.register(wrapper.instance as Grant, registration);
    }
  }

  /** Every grant_type that is served, without its other spellings; sorted, for providers are found in any order. */
  get grantTypes(): string[] {
    return [...new Set(this.grants.values())].map((grant) => grant.grantTypes[0]!).sort();
  }

  /** The first spelling of a grant_type; undefined: there is no handler for it. */
  canonical(grantType: string): string | undefined {
    return this.grants.get(grantType)?.grantTypes[0];
  }

  /** What a host may demand a captcha for, before a grant of this type. */
  captchaFor(grantType: string | undefined): CaptchaAction | undefined {
    return grantType === undefined ? undefined : this.grants.get(grantType)?.captcha;
  }

  /**
   * @param grantType left out: the one that the parameters name
   * @throws AuthError invalid_argument, unsupported_grant_type, permission_denied, and what the handler throws
   */
  async exchange(
    party: Party,
    parameters: Parameters,
    grantType = parameters.get('grant_type'),
  ): Promise<TokenResponse> {
    if (grantType === undefined) throw missing('grant_type');
    if (grantType.length > MAX_GRANT_TYPE) throw tooLong('grant_type', MAX_GRANT_TYPE);
    const grant = this.allowed(party.client, grantType);
    return grant.handler.exchange(validated(grant.parameters, parameters), party);
  }

  /**
   * The handler of a grant_type that this client may use.
   * @throws AuthError unsupported_grant_type, permission_denied
   */
  allowed(client: Client, grantType: string): RegisteredGrant {
    const grant = this.grants.get(grantType);
    if (!grant) throw new AuthError('unsupported_grant_type', { reason: 'GRANT_TYPE_UNSUPPORTED' });
    if (!grant.grantTypes.some((name) => client.grant_types.includes(name))) {
      throw new AuthError('permission_denied', { reason: 'GRANT_TYPE_NOT_ALLOWED' });
    }
    return grant;
  }

  private register(handler: Grant, registration: GrantRegistration): void {
    const grant: RegisteredGrant = { ...registration, handler };
    for (const grantType of registration.grantTypes) {
      const other = this.grants.get(grantType);
      if (other?.handler === handler) continue;
      if (other) {
        const classes = `${other.handler.constructor.name} and ${handler.constructor.name}`;
        throw new Error(`two handlers for the grant_type ${grantType}: ${classes}`);
      }
      this.grants.set(grantType, grant);
    }
  }
}
