import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { isOurs } from '../http/auth-controller.js';
import { describe } from './describe.js';

/** Injection token: whether a host's OpenAPI document shows our operations. */
export const OPENAPI = Symbol('nest-auth openapi');

/** Injection token: nothing; there once our operations are described. */
export const DESCRIBED = Symbol('nest-auth described operations');

/** What `@ApiExcludeController()` of @nestjs/swagger writes; to leave something out, nobody should have to load it. */
const EXCLUDED = 'swagger/apiExcludeController';

/** Describes our operations to @nestjs/swagger, where the application has it; before the document is made of them. */
export async function describeOurs(modules: ModulesContainer, isShown: boolean): Promise<void> {
  const controllers = [...modules.values()]
    .flatMap((module) => [...module.controllers.values()])
    .flatMap(({ metatype }) => (typeof metatype === 'function' && isOurs(metatype) ? [metatype as Type] : []));
  for (const controller of controllers) Reflect.defineMetadata(EXCLUDED, [!isShown], controller);
  if (!isShown) return;
  const swagger = await import('@nestjs/swagger').catch(() => undefined);
  if (swagger) describe(swagger, controllers, modules);
}
