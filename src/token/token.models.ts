import type { ModulesContainer } from '@nestjs/core';
import {
  anything,
  flag,
  listOf,
  type Model,
  oneOf,
  parametersSchema,
  type Schema,
  seconds,
  text,
} from '../base/openapi/schema.js';
import { type GrantRegistration, registrationOf } from './grant.js';

/** TokenResponse, for documents. */
export const TOKEN_RESPONSE: Model = {
  name: 'AuthTokenResponse',
  properties: {
    token_type: oneOf('Bearer', 'DPoP'),
    access_token: text(),
    'refresh_token?': text(),
    'id_token?': text('where openid was granted'),
    expires_in: seconds('life of the access token'),
    scope: text(),
    sub: text(),
    groups: listOf(text()),
    need_weda_resource: flag,
  },
};

/** RFC 7517. */
export const JWKS: Model = { name: 'AuthJwks', properties: { keys: listOf(anything) } };

/** What the token endpoint takes: the parameters of each grant that there is, those of the host among them. */
export function tokenRequest(modules: ModulesContainer): Schema {
  return { type: 'object', oneOf: registrationsIn(modules).map(requestOf), properties: {} };
}

/** What one grant takes under a name of its own. */
export const grantRequest =
  (grantType: string) =>
  (modules: ModulesContainer): Schema => {
    const grant = registrationsIn(modules).find(({ grantTypes }) => grantTypes.includes(grantType));
    return grant ? parametersSchema(grant.parameters) : { type: 'object' };
  };

function requestOf({ grantTypes, parameters }: GrantRegistration): Schema {
  const { properties, required = [] } = parametersSchema(parameters);
  return {
    type: 'object',
    description: `grant_type ${grantTypes[0]}`,
    properties: { grant_type: oneOf(...grantTypes), ...properties },
    required: ['grant_type', ...required],
  };
}

/** By their names, for modules and their providers are found in any order. */
function registrationsIn(modules: ModulesContainer): GrantRegistration[] {
  const found = [...modules.values()]
    .flatMap((module) => [...module.providers.values()])
    .flatMap(({ metatype }) => registrationOf(metatype) ?? []);
  return [...new Set(found)].sort((a, b) => (a.grantTypes[0]! < b.grantTypes[0]! ? -1 : 1));
}
