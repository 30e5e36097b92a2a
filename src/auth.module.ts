import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { RouterModule } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import {
  AUTH_OPTIONS,
  type AuthOptions,
  type ConfigurableModuleClass,
  type ResolvedAuthOptions,
} from './base/auth.options.js';
import type { Schema } from './base/database/schema.js';
import { BaseModule } from './base/base.module.js';
import { AuthDatabase } from './base/database/auth-database.js';
import { featureOf } from './base/feature.js';
import { DEFAULT_ROUTE_PREFIX, ROUTE_PREFIX, routePrefix } from './base/http/route-prefix.js';
import { OPENAPI } from './base/openapi/openapi.js';
import { type AuthModuleExtras, placed } from './host-providers.js';
import { authSchema, wings } from './wings.js';

/** Puts the wings together. All of them are private to it: no global filter, guard, pipe, interceptor or provider. */
@Module({})
export class AuthModule {
  /** @param options how tokens are made, and (AuthModuleExtras) how the module fits into the host */
  static forRoot(options: AuthOptions & AuthModuleExtras): DynamicModule {
    return onDataSource(BaseModule.forRoot(options), options);
  }

  static forRootAsync(
    options: Parameters<typeof ConfigurableModuleClass.forRootAsync>[0] & AuthModuleExtras,
  ): DynamicModule {
    return onDataSource(BaseModule.forRootAsync(options), options);
  }
}

function onDataSource(base: DynamicModule, extras: AuthModuleExtras): DynamicModule {
  const schema = authSchema(extras);
  const { dataSource } = extras;
  // for `autoLoadEntities` of the host; its providers would want a data source, which there need not be
  TypeOrmModule.forFeature(schema.entities, dataSource);
  return stacked(AuthModule, base, extras, databaseOf(schema, dataSource));
}

/**
 * Each wing imports those below it, and gets what the host replaces of its providers.
 * @param database provider of AuthDatabase
 */
export function stacked(
  module: Type,
  base: DynamicModule,
  {
    routePrefix: prefix = DEFAULT_ROUTE_PREFIX,
    isGlobal = false,
    openapi = true,
    without,
    imports = [],
    providers = [],
  }: AuthModuleExtras,
  database: Provider,
): DynamicModule {
  const [, ...upper] = wings(without);
  const moved = upper.filter((wing) => featureOf(wing).underRoutePrefix);
  const others = upper.filter((wing) => !moved.includes(wing));
  const path = routePrefix(prefix, others.flatMap(controllersOf));
  const own = placed(providers, [BaseModule, ...upper]);
  const floors: DynamicModule[] = [];
  const put = (module: DynamicModule) => {
    const { replacing, helping } = own(module.module);
    floors.push({
      ...module,
      imports: [...(module.imports ?? []), ...floors, ...imports],
      providers: [...(module.providers ?? []), ...replacing, ...helping],
      exports: helping,
    });
  };
  put({
    ...base,
    providers: [
      ...(base.providers ?? []),
      database,
      { provide: ROUTE_PREFIX, useValue: path },
      { provide: OPENAPI, useValue: openapi },
    ],
  });
  for (const wing of upper) put({ module: wing });
  const routes = RouterModule.register(moved.map((wing) => ({ path, module: wing })));
  return {
    module,
    global: isGlobal,
    imports: [...floors, routes, ...imports],
    providers: own(AuthModule).helping,
    exports: floors,
  };
}

function databaseOf(schema: Schema, name?: string): Provider {
  return {
    provide: AuthDatabase,
    useFactory: ({ databaseUrl, databasePool }: ResolvedAuthOptions, host?: DataSource) => {
      if (databaseUrl !== undefined) return AuthDatabase.own(databaseUrl, schema, databasePool);
      if (host) return AuthDatabase.open(host, schema.entities);
      const missing = name === undefined ? 'no TypeORM data source' : `no TypeORM data source called ${name}`;
      throw new Error(`AuthModule: there is ${missing}: import TypeOrmModule.forRoot(…), or set databaseUrl`);
    },
    inject: [AUTH_OPTIONS, { token: getDataSourceToken(name), optional: true }],
  };
}

function controllersOf(module: Type): Type[] {
  return (Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, module) ?? []) as Type[];
}
