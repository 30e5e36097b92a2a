import type { InjectionToken, ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { OptionalWing } from './wings.js';

/** What a host says besides the options, when it imports the module. */
export interface AuthModuleExtras {
  /** Whether the host's modules get what is exported without importing it. Default: false. */
  isGlobal?: boolean;
  /** Name of the host's TypeORM data source. Default: its default one. Not used where there is a `databaseUrl`. */
  dataSource?: string;
  /**
   * Path that stands in place of `/auth/v1`, where clients know of another; with `''` the token endpoint is `/token`.
   * CloudBase's SDKs want the default.
   */
  routePrefix?: string;
  /**
   * Whether a document that @nestjs/swagger makes of the application shows our operations. With false nothing is loaded
   * for it. Default: true.
   */
  openapi?: boolean;
  /** Parts to leave out: `oauth` (all under /oauth2, and the pages), `cloudbase` (CloudBase's API). Default: none. */
  without?: readonly OptionalWing[];
  /** Modules whose exports the replacing providers need. */
  imports?: ModuleMetadata['imports'];
  /**
   * Providers that replace ours: Users, PasswordHasher, Clock, AuditSink, JwksFetcher, Pages, VerificationSender, Captcha,
   * OwnClaims, or getStorageToken() of @nestjs/throttler.
   */
  providers?: Provider[];
}

interface Placed {
  /** They stand in for providers of this module. */
  replacing: Provider[];
  /** They are nobody's but the host's: what others that it gave depend on. */
  helping: Provider[];
}

/**
 * Says which module each of the host's providers belongs into. One that replaces ours goes to the module that has ours.
 * Of the rest, what comes in by a door, such as a grant, stands on top, for it may need everything; what is left is there
 * for the replacing ones to use, and stands beside the lowest of them.
 * @param modules ours, each below those that stand on it
 */
export function placed(providers: Provider[], modules: Type[]): (module: Type) => Placed {
  const homes = new Map(modules.flatMap((module) => tokensOf(module).map((token) => [token, module])));
  const replacing = providers.filter((provider) => homes.has(tokenOf(provider)));
  const rest = providers.filter((provider) => !homes.has(tokenOf(provider)));
  const used = new Set(replacing.map((provider) => homes.get(tokenOf(provider))));
  const lowest = modules.find((module) => used.has(module));
  return (module) => ({
    replacing: replacing.filter((provider) => homes.get(tokenOf(provider)) === module),
    helping: rest.filter((provider) => {
      const home = isDoor(provider) ? undefined : lowest;
      return home === undefined ? !modules.includes(module) : home === module;
    }),
  });
}

function tokensOf(module: Type): InjectionToken[] {
  const providers = (Reflect.getMetadata('providers', module) ?? []) as Provider[];
  return providers.map(tokenOf);
}

function tokenOf(provider: Provider): InjectionToken {
  return typeof provider === 'function' ? provider : provider.provide;
}

/** Whether a class is marked for those who look for its kind in every module. */
function isDoor(provider: Provider): boolean {
  const keys = (typeof provider === 'function' ? Reflect.getMetadataKeys(provider) : []) as unknown[];
  return keys.some((key) => typeof key === 'string' && key.startsWith('nest-auth:'));
}
