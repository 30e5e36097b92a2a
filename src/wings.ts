import type { Type } from '@nestjs/common';
import { BaseModule } from './base/base.module.js';
import type { Schema } from './base/database/schema.js';
import { type ErrorRow, type ErrorTable, joinTables } from './base/errors/error-table.js';
import { featureOf } from './base/feature.js';
import { CoreModule } from './core/core.module.js';
import * as optional from './optional-wings.js';
import { ProtectionModule } from './protection/protection.module.js';
import { TokenModule } from './token/token.module.js';

/** What a host may leave out. */
export type OptionalWing = keyof typeof optional;

/** The modules of the package, each below those that stand on it. */
export function wings(without: readonly OptionalWing[] = []): Type[] {
  const unknown = without.find((name) => !Object.hasOwn(optional, name));
  if (unknown !== undefined) throw new Error(`AuthModule: there is no ${String(unknown)} that could be left out`);
  const kept = Object.entries(optional).filter(([name]) => !(without as string[]).includes(name));
  return [BaseModule, CoreModule, TokenModule, ProtectionModule, ...kept.map(([, wing]) => wing)];
}

/** Tables and migrations for a host's data source, without those of what it leaves out of AuthModule. */
export function authSchema({ without }: { without?: readonly OptionalWing[] } = {}): Schema {
  const features = wings(without).map(featureOf);
  const moment = ({ name }: { name: string }) => Number(name.slice(-13));
  return {
    entities: features.flatMap(({ entities }) => entities ?? []),
    migrations: features.flatMap(({ migrations }) => migrations ?? []).sort((a, b) => moment(a) - moment(b)),
  };
}

/** Every entity of the package, for a host's data source. Their tables begin with `auth_`. */
export const authEntities = authSchema().entities;

/** Every migration of the package, in order, for a host's data source. */
export const authMigrations = authSchema().migrations;

/** Every error that the package knows, by its `error_code`. */
export const CATALOGUE: Record<string, ErrorRow> = Object.fromEntries(
  Object.entries(joinTables(wings().flatMap((wing) => tableOf(wing)))).sort(
    ([, a], [, b]) => a.error_code - b.error_code,
  ),
);

function tableOf(wing: Type): [ErrorTable] | [] {
  const { errors } = featureOf(wing);
  return errors ? [errors] : [];
}
