import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';

/** The client that this service is to an issuer: a confidential one, with a secret. */
export interface ResourceServerClient {
  id: string;
  secret: string;
}

/** An authorization server whose tokens are taken. */
export interface TrustedIssuerOptions {
  /** Its URL, `iss` of its tokens, to the letter. Its keys and endpoints are found by discovery. */
  issuer: string;
  /** `aud` that its tokens must have. Default: the one of the module. */
  audience?: string;
  /** For `@RequireLiveSession()`, which asks its introspection endpoint. Default: none. */
  client?: ResourceServerClient;
}

export interface ResourceServerOptions {
  /** The authorization server: the `issuer` of its AuthModule, or its AUTH_ISSUER. Or several. */
  issuer: string | readonly (string | TrustedIssuerOptions)[];
  /** `aud` that tokens must have: what this service is called there. */
  audience: string;
  /** URL under which clients reach this service, for DPoP proofs. Default: the audience, where that is one. */
  url?: string;
  /** For `@RequireLiveSession()`, where there is one issuer. Default: none. */
  client?: ResourceServerClient;
  /** Seconds for which an answer about a session counts, 0–60. Default: 5. */
  liveFor?: number;
  /** Whether an issuer may be reached by http on another machine: for development. Default: false. */
  allowHttp?: boolean;
}

export interface ResolvedResourceServerOptions {
  issuers: (Required<Omit<TrustedIssuerOptions, 'client'>> & Pick<TrustedIssuerOptions, 'client'>)[];
  /** Where this service is reached, or what it is called. */
  url: string;
  liveFor: number;
}

/**
 * The options with their defaults, checked.
 * @throws Error for the first that is wrong
 */
export function resolveOptions(options: ResourceServerOptions): ResolvedResourceServerOptions {
  const { audience, url = audience, client, liveFor = 5, allowHttp = false } = options;
  if (typeof audience !== 'string' || audience === '') throw wrong('audience', 'must say what this service is called');
  const named = typeof options.issuer === 'string' ? [options.issuer] : (options.issuer ?? []);
  const issuers = named.map((one) => ({ audience, client, ...(typeof one === 'string' ? { issuer: one } : one) }));
  if (issuers.length === 0) throw wrong('issuer', 'must name an authorization server');
  for (const { issuer } of issuers) checkIssuer(issuer, allowHttp);
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length) throw wrong('issuer', 'names one twice');
  // a secret is for the one server that gave it
  if (client && issuers.length > 1) throw wrong('client', 'must stand beside its issuer where there are several');
  if (options.url !== undefined && !isWebUrl(options.url)) throw wrong('url', 'must be an http(s) URL');
  if (!(liveFor >= 0 && liveFor <= 60)) throw wrong('liveFor', 'must be from 0 to 60 seconds');
  return { issuers, url, liveFor };
}

/** A name that this machine alone answers to: nobody is in between. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function checkIssuer(issuer: unknown, allowHttp: boolean): void {
  if (!isWebUrl(issuer)) throw wrong('issuer', 'must be an http(s) URL');
  const { protocol, hostname, search, hash, username } = new URL(issuer);
  if (search || hash || username) throw wrong('issuer', 'must be a URL without query, fragment and credentials');
  if (protocol === 'https:' || allowHttp || LOOPBACK.test(hostname)) return;
  throw wrong('issuer', 'must be https, or `allowHttp` be true: whoever is in between could sign tokens');
}

function isWebUrl(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function wrong(option: string, problem: string): Error {
  return new Error(`ResourceServerModule: ${option} ${problem}`);
}

export const RESOURCE_SERVER_OPTIONS = Symbol('nest-auth resource server options');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<ResourceServerOptions>({
  moduleName: 'ResourceServer',
})
  .setClassMethodName('forRoot')
  .setExtras(
    {
      /** Whether every module of the application may use the guard without importing this one. Default: false. */
      isGlobal: false,
      /** Providers that replace ours: Clock, UsedJtis. Default: none. */
      providers: [] as Provider[],
    },
    (definition, { isGlobal, providers }) => ({
      ...definition,
      global: isGlobal,
      providers: [...(definition.providers ?? []), ...providers],
    }),
  )
  .build();
