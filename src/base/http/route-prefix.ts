import type { Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { OptionError } from '../auth.options.js';

/** Injection token: the path below which the token endpoint lies, as `/auth/v1`; empty at the root. */
export const ROUTE_PREFIX = Symbol('nest-auth route prefix');

export const DEFAULT_ROUTE_PREFIX = 'auth/v1';

const SEGMENTS = /^[\w.~-]+(\/[\w.~-]+)*$/;

/**
 * @param text what the host says, slashes around it or none
 * @param others controllers of ours whose routes stay where they are
 * @returns it with a slash before it; the empty string for the root
 * @throws OptionError
 */
export function routePrefix(text: string, others: Type[]): string {
  const path = text.replace(/^\/+|\/+$/g, '');
  if (path === '') return '';
  if (!SEGMENTS.test(path)) throw new OptionError('routePrefix', `must be a path such as '${DEFAULT_ROUTE_PREFIX}'`);
  const [first] = path.split('/');
  const taken = others.map((controller) => String(Reflect.getMetadata(PATH_METADATA, controller)).split('/')[0]);
  if (taken.includes(first))
    throw new OptionError('routePrefix', `must not begin with ${first}, where we have other routes`);
  return `/${path}`;
}
