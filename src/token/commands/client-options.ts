import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { JSONWebKeySet } from 'jose';
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

export function scope(value: string): string[] {
  return [...new Set(value.split(/\s+/).filter(Boolean))];
}

/** An option that may be repeated. */
export function repeated(value: string, before: string[] = []): string[] {
  return [...before, value];
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
  const canonical = named.map((name) => {
    const known = registry.canonical(name);
    if (known === undefined) throw new Error(`there is no grant type ${name}`);
    if (isPublic && known === 'client_credentials') throw new Error('client_credentials is for confidential clients');
    return known;
  });
  return [...new Set(canonical)];
}

export function jwks(file: string): JSONWebKeySet {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JSONWebKeySet;
  } catch {
    throw new InvalidArgumentError('It must be a file that holds a JWKS.');
  }
}
