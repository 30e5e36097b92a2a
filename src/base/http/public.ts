import { Reflector } from '@nestjs/core';

/**
 * Opens a route, or all of a controller, under a global AccessTokenGuard. All of our own routes say so: each sees itself
 * to who may do what. A guard of the host's own honours it by
 * `reflector.getAllAndOverride(Public, [context.getHandler(), context.getClass()])`.
 */
export const Public = Reflector.createDecorator<true, true>({ key: 'nest-auth:public', transform: () => true });
