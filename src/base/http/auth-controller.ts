import { applyDecorators, Controller, SetMetadata, VERSION_NEUTRAL } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { markAsOurs } from './mounted-routes.js';
import { Public } from './public.js';

const OURS = 'nest-auth:controller';

/**
 * A controller of ours: without a version, whatever a host's default one is, and open under a global AccessTokenGuard.
 * @param path without the host's global prefix
 */
export const AuthController = (path: string): ClassDecorator =>
  applyDecorators(
    Controller({ path, version: VERSION_NEUTRAL }),
    Public(),
    SetMetadata(OURS, true),
    (controller: { prototype: object }) => {
      for (const [, , { value }] of handlersOf(controller.prototype)) markAsOurs(value as object);
    },
  );

export function isOurs(controller: object): boolean {
  return Reflect.hasMetadata(OURS, controller);
}

/** The methods that routes lead to, inherited ones included, and where each is. */
export function handlersOf(prototype: object): [prototype: object, name: string, descriptor: PropertyDescriptor][] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([, { value }]) => typeof value === 'function' && Reflect.hasMetadata(METHOD_METADATA, value as object))
    .map(([name, descriptor]) => [prototype, name, descriptor] as [object, string, PropertyDescriptor]);
  const parent = Object.getPrototypeOf(prototype) as object | null;
  return [...own, ...(parent ? handlersOf(parent) : [])];
}
