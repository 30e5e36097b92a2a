import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { JSONWebKeySet } from 'jose';
import type { ClientChanges } from '../../core/clients/client-changes.js';
import type { NewClient } from '../../core/clients/client.service.js';
import type { GrantService } from '../grant.service.js';

/** What `clients create` was given. */
export interface CreateClientOptions {
  public?: true;
  name?: string;
  grants?: string[];
  scopes?: string[];
  defaultScope?: string[];
  redirectUri?: string[];
  postLogoutRedirectUri?: string[];
  firstParty?: true;
  accessTokenTtl?: number;
  refreshTokenTtl?: number;
  refreshRetryWindow?: number;
  needWedaResource?: true;
  secretStdin?: true;
  jwksFile?: JSONWebKeySet;
  jwksUri?: string;
}

/** @throws Error that says which options do not go together */
export function newClient(id: string, options: CreateClientOptions, registry: GrantService): NewClient {
  const isPublic = options.public ?? false;
  const hasKeys = options.jwksFile !== undefined || options.jwksUri !== undefined;
  if (isPublic && options.secretStdin) throw new Error('a public client has no secret');
  if (hasKeys && options.secretStdin) throw new Error('a client with keys has no secret');
  const scopes = options.scopes ?? ['openid', 'profile'];
  return {
    id,
    name: options.name ?? id,
    public: isPublic,
    grant_types: grants(registry, options.grants, isPublic),
    scopes,
    default_scope: options.defaultScope ?? scopes,
    redirect_uris: options.redirectUri ?? [],
    post_logout_redirect_uris: options.postLogoutRedirectUri ?? [],
    first_party: options.firstParty ?? false,
    access_token_ttl: options.accessTokenTtl ?? null,
    refresh_token_ttl: options.refreshTokenTtl ?? null,
    refresh_retry_window: options.refreshRetryWindow ?? null,
    need_weda_resource: options.needWedaResource ?? false,
    jwks: options.jwksFile ?? null,
    jwks_uri: options.jwksUri ?? null,
  };
}

/** A client's own, or the service's. */
type Seconds = number | 'default';

/** What `clients update` was given. */
export interface UpdateClientOptions extends Omit<
  CreateClientOptions,
  'public' | 'firstParty' | 'accessTokenTtl' | 'refreshTokenTtl' | 'refreshRetryWindow' | 'needWedaResource'
> {
  public?: boolean;
  firstParty?: boolean;
  accessTokenTtl?: Seconds;
  refreshTokenTtl?: Seconds;
  refreshRetryWindow?: Seconds;
  needWedaResource?: boolean;
  /** `--no-keys` */
  keys?: boolean;
}

/** @throws Error that says which options do not go together, or what there is not */
export function clientChanges(options: UpdateClientOptions, registry: GrantService): ClientChanges {
  const bringsKeys = options.jwksFile !== undefined || options.jwksUri !== undefined;
  const losesKeys = options.keys === false;
  if (bringsKeys && losesKeys) throw new Error('name its keys, or --no-keys');
  return {
    name: options.name,
    public: options.public,
    token_endpoint_auth_method: losesKeys ? 'client_secret' : undefined,
    grant_types: options.grants && canonical(registry, options.grants),
    scopes: options.scopes,
    default_scope: options.defaultScope,
    redirect_uris: options.redirectUri,
    post_logout_redirect_uris: options.postLogoutRedirectUri,
    first_party: options.firstParty,
    access_token_ttl: ownSeconds(options.accessTokenTtl),
    refresh_token_ttl: ownSeconds(options.refreshTokenTtl),
    refresh_retry_window: ownSeconds(options.refreshRetryWindow),
    need_weda_resource: options.needWedaResource,
    jwks: options.jwksFile,
    jwks_uri: options.jwksUri,
  };
}

/** An option of what may be left to the service's own default. */
export function orDefault(parse: (value: string) => number) {
  return (value: string): Seconds => (value === 'default' ? value : parse(value));
}

function ownSeconds(value: Seconds | undefined): number | null | undefined {
  return value === 'default' ? null : value;
}

export function scope(value: string): string[] {
  return [...new Set(value.split(/\s+/).filter(Boolean))];
}

/** An option that may be repeated; '' names none. */
export function repeated(value: string, before: string[] = []): string[] {
  return value === '' ? before : [...before, value];
}

/** Parses a number of seconds between two bounds. */
export function seconds(min: number, max: number) {
  return (value: string): number => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new InvalidArgumentError(`It must be a whole number of seconds from ${min} to ${max}.`);
    }
    return Number(value);
  };
}

/** What a client may use unless told otherwise. The password grant is for who asks for it (RFC 9700 §2.4). */
const STANDARD_GRANTS = [
  'refresh_token',
  'authorization_code',
  'urn:ietf:params:oauth:grant-type:device_code',
  'client_credentials',
];

function grants(registry: GrantService, named: string[] | undefined, isPublic: boolean): string[] {
  if (!named) return STANDARD_GRANTS.filter((name) => !(isPublic && name === 'client_credentials'));
  const known = canonical(registry, named);
  if (isPublic && known.includes('client_credentials')) {
    throw new Error('client_credentials is for confidential clients');
  }
  return known;
}

/** Each by its first spelling. @throws Error where the application that the command runs in serves no such grant */
function canonical(registry: GrantService, named: string[]): string[] {
  const all = named.map((name) => {
    const known = registry.canonical(name);
    if (known === undefined) throw new Error(`there is no grant type ${name}`);
    return known;
  });
  return [...new Set(all)];
}

export function jwks(file: string): JSONWebKeySet {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JSONWebKeySet;
  } catch {
    throw new InvalidArgumentError('It must be a file that holds a JWKS.');
  }
}
