import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { AuthError, badField, type FieldViolation } from '../errors/auth.error.js';
import type { Parameters } from '../http/parameters.js';
import type { Party } from '../sessions/session.service.js';
import { type Grant, GRANT_HANDLER, type GrantRegistration } from './grant.js';
import type { TokenResponse } from './token-response.js';

interface RegisteredGrant extends GrantRegistration {
  handler: Grant;
  /** The parameters that its class declares. */
  names: string[];
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
      const registration = metatype && (Reflect.getMetadata(GRANT_HANDLER, metatype) as GrantRegistration | undefined);
      if (!registration) continue;
      if (!wrapper.isDependencyTreeStatic()) throw new Error(`the grant ${metatype.name} must not be request-scoped`);
      if (wrapper.instance) this.register(wrapper.instance as Grant, registration);
    }
  }

  /** Every grant_type that is served, without its other spellings. */
  get grantTypes(): string[] {
    return [...new Set(this.grants.values())].map((grant) => grant.grantTypes[0]!);
  }

  /** The first spelling of a grant_type; undefined: there is no handler for it. */
  canonical(grantType: string): string | undefined {
    return this.grants.get(grantType)?.grantTypes[0];
  }

  /** @throws AuthError invalid_argument, unsupported_grant_type, permission_denied, and what the handler throws */
  async exchange(party: Party, parameters: Parameters): Promise<TokenResponse> {
    const grantType = parameters.get('grant_type');
    if (grantType === undefined) throw badField('grant_type', 'PARAMETER_MISSING', 'is required');
    if (grantType.length > MAX_GRANT_TYPE) {
      throw badField('grant_type', 'PARAMETER_TOO_LONG', `must be at most ${MAX_GRANT_TYPE} characters`);
    }
    const grant = this.grants.get(grantType);
    if (!grant) throw new AuthError('unsupported_grant_type', { reason: 'GRANT_TYPE_UNSUPPORTED' });
    if (!grant.grantTypes.some((name) => party.client.grant_types.includes(name))) {
      throw new AuthError('permission_denied', { reason: 'GRANT_TYPE_NOT_ALLOWED' });
    }
    return grant.handler.exchange(validated(grant, parameters), party);
  }

  private register(handler: Grant, registration: GrantRegistration): void {
    const declared = getMetadataStorage().getTargetValidationMetadatas(registration.parameters, '', true, false);
    const names = [...new Set(declared.map((rule) => rule.propertyName))];
    const grant: RegisteredGrant = { ...registration, handler, names };
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

function validated({ parameters: ParametersClass, names }: RegisteredGrant, sent: Parameters): object {
  const parameters = new ParametersClass() as Record<string, unknown>;
  for (const name of names) parameters[name] = sent.get(name);
  const errors = validateSync(parameters, { forbidUnknownValues: false });
  if (errors.length > 0) throw refusal(errors, parameters);
  return parameters;
}

type BadReason = 'PARAMETER_MISSING' | 'PARAMETER_TOO_LONG' | 'PARAMETER_INVALID';

/** Says of each offending parameter the first thing that is wrong with it: missing, else too long, else malformed. */
function refusal(errors: ValidationError[], parameters: Record<string, unknown>): AuthError {
  const judged = errors.map(({ property, constraints = {} }): { reason: BadReason; field: FieldViolation } => {
    const tooLong = constraints['maxLength'] ?? constraints['isLength'];
    const missing = parameters[property] === undefined;
    const said = (missing ? constraints['isDefined'] : tooLong) ?? Object.values(constraints)[0] ?? 'is malformed';
    const reason = missing ? 'PARAMETER_MISSING' : tooLong ? 'PARAMETER_TOO_LONG' : 'PARAMETER_INVALID';
    return { reason, field: { field: property, description: said.replace(`${property} `, '') } };
  });
  const order: BadReason[] = ['PARAMETER_MISSING', 'PARAMETER_TOO_LONG', 'PARAMETER_INVALID'];
  const reason = order.find((one) => judged.some((each) => each.reason === one))!;
  return new AuthError('invalid_argument', { reason, fields: judged.map(({ field }) => field) });
}
