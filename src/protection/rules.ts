import { type ExecutionContext, SetMetadata, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Public } from '../base/http/public.js';

const SCOPES = 'nest-auth:required-scopes';
const GROUPS = 'nest-auth:required-groups';
const MAX_AGE = 'nest-auth:max-age';
const LIVE_SESSION = 'nest-auth:live-session';
const OPTIONAL = 'nest-auth:optional-token';
/** Where Nest's `@UseGuards()` keeps what it was given. */
const GUARDS = '__guards__';

/** A group, or a list of groups of which one is enough. */
export type RequiredGroup = string | readonly string[];

/** The route needs an access token with all of these scopes, and with those that its controller requires. */
export const RequireScopes = (...scopes: string[]) => SetMetadata(SCOPES, scopes);

/** The user must be in all of these groups, and in those that the controller requires; in a list, in one of it. */
export const RequireGroups = (...groups: RequiredGroup[]) => SetMetadata(GROUPS, groups);

/**
 * The user must have proven who they are in the last `maxAge` seconds. Who has not is told so by
 * `insufficient_user_authentication` (RFC 9470 §3), and the client has them sign in again (`max_age`).
 */
export const RequireAuthentication = ({ maxAge }: { maxAge: number }) => SetMetadata(MAX_AGE, maxAge);

/** The route also asks whether the token's session is still alive: a revoke counts at once. */
export const RequireLiveSession = () => SetMetadata(LIVE_SESSION, true);

/** Lets callers in who send no token, but none with a bad one. What else is required holds for who sends one. */
export const OptionalToken = () => SetMetadata(OPTIONAL, true);

/** On a guard's class, and so on those that are derived from it: it is one of ours. */
export const OF_OURS = Symbol('access token guard');

export interface Rules {
  scopes: string[];
  groups: RequiredGroup[];
  /** In seconds. */
  maxAge: number | undefined;
  live: boolean;
}

const reflector = new Reflector();
const targetsOf = (context: ExecutionContext) => [context.getHandler(), context.getClass()];

/** What a route requires: its own and what its controller does. */
export function rulesOf(context: ExecutionContext): Rules {
  const targets = targetsOf(context);
  const ages = reflector.getAll<(number | undefined)[]>(MAX_AGE, targets).filter((age) => age !== undefined);
  return {
    scopes: reflector.getAllAndMerge<string[]>(SCOPES, targets),
    groups: reflector.getAllAndMerge<RequiredGroup[]>(GROUPS, targets),
    maxAge: ages.length === 0 ? undefined : Math.min(...ages),
    live: reflector.getAllAndOverride<boolean | undefined>(LIVE_SESSION, targets) ?? false,
  };
}

/**
 * Whether a guard of ours must see a token. The route's own word counts before its controller's; where one place says
 * two things, the stricter: a route that is guarded, or that requires something, is not public.
 * @param guard the class of the one that asks
 */
export function accessBy(guard: unknown, context: ExecutionContext): 'public' | 'optional' | 'required' {
  for (const target of targetsOf(context)) {
    if (reflector.get<boolean>(OPTIONAL, target)) return 'optional';
    const guards = guardsOn(target);
    if (guards.includes(guard as Type)) return 'required';
    // another one of ours, put there with the requirement, sees to it
    if (guards.length === 0 && requiresSomething(target)) return 'required';
    if (reflector.get(Public, target)) return 'public';
  }
  return 'required';
}

/** Whether a route may be called without a token: it is optional, or a test has put another guard in place of ours. */
export function mayLackToken(context: ExecutionContext): boolean {
  const [guard] = targetsOf(context).flatMap(guardsOn);
  const access = accessBy(guard, context);
  return access === 'optional' || (access === 'required' && guard !== undefined);
}

/** The classes of our guards among those that `@UseGuards()` has put there. */
function guardsOn(target: Type | ReturnType<ExecutionContext['getHandler']>): Type[] {
  const guards = (Reflect.getMetadata(GUARDS, target) ?? []) as (Type | object)[];
  const classes = guards.map((guard) => (typeof guard === 'function' ? guard : guard.constructor) as Type);
  return classes.filter((guard) => OF_OURS in guard);
}

function requiresSomething(target: Type | ReturnType<ExecutionContext['getHandler']>): boolean {
  return [SCOPES, GROUPS, MAX_AGE, LIVE_SESSION].some((key) => Reflect.getMetadata(key, target) !== undefined);
}
