import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { AccessToken } from '../core/sessions/access-token.js';
import { mayLackToken } from './rules.js';

const CLAIMS = Symbol('access token');

/** A request that AccessTokenGuard has let through; a socket, or the context of a message, where that stands for one. */
export interface GuardedRequest {
  /** The claims of its access token; undefined: it came without one. */
  auth?: AccessToken;
  /** The same, unless the host has put something of its own there. */
  user?: unknown;
}

type Marked = GuardedRequest & { [CLAIMS]?: AccessToken };

/** What stands for the request where it is not said otherwise (AccessTokenGuard.getRequest). */
export function requestOf(context: ExecutionContext): GuardedRequest {
  switch (context.getType<string>()) {
    case 'graphql': {
      const shared = context.getArgByIndex<{ req?: object; request?: object }>(2);
      return shared.req ?? shared.request ?? shared;
    }
    case 'rpc':
      return context.getArgByIndex(1); // of the message: its data is the sender's
    default:
      return context.getArgByIndex(0); // of a gateway the socket
  }
}

/** Puts the claims on a request, in place of those that were there before. */
export function setClaims(request: Marked, claims: AccessToken | undefined): void {
  if (request.user === undefined || request.user === request.auth) request.user = claims;
  request.auth = claims;
  request[CLAIMS] = claims; // what a message says cannot look like it
}

/**
 * The claims of the access token that AccessTokenGuard has let through, for what is not called with the request itself.
 * @returns undefined where there is none
 */
export function accessTokenOf(context: ExecutionContext): AccessToken | undefined {
  const isMarked = (argument: unknown) => typeof argument === 'object' && argument !== null && CLAIMS in argument;
  const marked = context.getArgs<unknown[]>().find(isMarked) as Marked | undefined;
  return marked?.[CLAIMS] ?? requestOf(context).auth;
}

/**
 * A parameter of a route behind AccessTokenGuard: the claims of its access token. Undefined on a route with
 * `@OptionalToken()` that was called without one, and under a guard that a test has put in place of ours and that sets
 * no `request.auth`.
 * @throws Error where no guard has run, rather than pass an absent token on
 */
export const BearerToken = createParamDecorator((_: unknown, context: ExecutionContext): AccessToken | undefined => {
  const claims = accessTokenOf(context);
  if (!claims && !mayLackToken(context)) throw new Error('AccessTokenGuard did not run before this');
  return claims;
});
