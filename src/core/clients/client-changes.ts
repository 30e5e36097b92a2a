import { badField } from '../../base/errors/auth.error.js';
import type { Client, ClientAuthMethod } from './client.entity.js';
import { stillAllowed } from './scope.js';

/** What a client is registered with, besides its id. */
export type ClientValues = Omit<Client, 'id' | 'created_at' | 'disabled'>;

/** What is to be changed of a client; what is left out, or undefined, stays. Its id stays in any case. */
export type ClientChanges = Partial<ClientValues>;

const DEFAULTS = {
  public: false,
  jwks: null,
  jwks_uri: null,
  grant_types: [],
  scopes: [],
  default_scope: [],
  redirect_uris: [],
  post_logout_redirect_uris: [],
  first_party: false,
  access_token_ttl: null,
  refresh_token_ttl: null,
  refresh_retry_window: null,
  need_weda_resource: false,
} satisfies Partial<ClientValues>;

const CHANGEABLE = [...Object.keys(DEFAULTS), 'name', 'token_endpoint_auth_method'];

/** A new client, with what it was not given. */
export function initial(values: Pick<Client, 'id'> & Partial<ClientValues>): Pick<Client, 'id'> & ClientValues {
  return { ...DEFAULTS, name: values.id, token_endpoint_auth_method: methodOf(values), ...values };
}

/**
 * A client as it is to be.
 * @throws AuthError invalid_argument where something is to change that does not
 */
export function changed(before: Client, changes: ClientChanges): Client {
  const values = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  ) as Partial<ClientValues>;
  const fixed = Object.keys(values).find((name) => !CHANGEABLE.includes(name));
  if (fixed !== undefined) throw badField(fixed, 'PARAMETER_INVALID', 'cannot be changed');
  const hasNewWay = bringsWay(before, values);
  const client = { ...before, ...(hasNewWay ? { jwks: null, jwks_uri: null } : {}), ...values };
  if (hasNewWay) client.token_endpoint_auth_method = values.token_endpoint_auth_method ?? methodOf(client);
  if (values.default_scope === undefined) {
    client.default_scope = stillAllowed(client, before.default_scope);
  }
  return client;
}

/** Whether the client is to authenticate in another way, or by other keys, which take the place of what it had. */
function bringsWay(before: Client, values: Partial<ClientValues>): boolean {
  const { public: isPublic = before.public, jwks, jwks_uri } = values;
  const method = values.token_endpoint_auth_method ?? before.token_endpoint_auth_method;
  const changes = isPublic !== before.public || method !== before.token_endpoint_auth_method;
  return changes || Boolean(jwks ?? jwks_uri);
}

function methodOf(values: Partial<ClientValues>): ClientAuthMethod {
  if (values.public) return 'none';
  return values.jwks || values.jwks_uri ? 'private_key_jwt' : 'client_secret';
}
