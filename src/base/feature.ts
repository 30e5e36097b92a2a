import { type Provider, SetMetadata, type Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { CommandModule } from './commands/command.js';
import type { EntityClass, MigrationClass } from './database/schema.js';
import type { ErrorTable } from './errors/error-table.js';
import type { PageSource } from './pages/page-source.js';

/** What a module brings besides its controllers and providers. */
export interface AuthFeatureMetadata {
  /** Whether its controllers lie below the route prefix (`/auth/v1`). For modules of this package. */
  underRoutePrefix?: boolean;
  /** Its tables; their names begin with `auth_`. For modules of this package: a host's are its data source's business. */
  entities?: EntityClass[];
  migrations?: MigrationClass[];
  /** Rows for the catalogue of errors, and reasons for the rows of others. */
  errors?: ErrorTable;
  /** Templates of pages, with their sentences. */
  pages?: PageSource;
  /** Commands of `nest-auth`, loaded when it runs. For modules of this package. */
  commands?: (() => Promise<CommandModule>)[];
  /** What takes the place of its providers in AuthTestingModule. For modules of this package. */
  inTests?: Provider[];
}

const AUTH_FEATURE = 'nest-auth:feature';

/**
 * Marks a Nest module, of this package or of a host, that brings more to the service than controllers and providers.
 * Whoever deals in such things finds the module by it; there is no list to add to.
 */
export const AuthFeature = (metadata: AuthFeatureMetadata): ClassDecorator => SetMetadata(AUTH_FEATURE, metadata);

export function featureOf(module: Type): AuthFeatureMetadata {
  return (Reflect.getMetadata(AUTH_FEATURE, module) as AuthFeatureMetadata | undefined) ?? {};
}

/** What the modules of the running application bring. */
export function featuresOf(modules: ModulesContainer): AuthFeatureMetadata[] {
  return [...new Set([...modules.values()].map(({ metatype }) => metatype))].map(featureOf);
}
