import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { type AccessToken, AccessTokenService } from '../sessions/access-token.service.js';

const REQUIRED_SCOPES = 'nest-auth:required-scopes';
const LIVE_SESSION = 'nest-auth:live-session';
const REALM = 'realm="auth"'; // RFC 6750 §3: a challenge has at least one parameter

/** The route needs an access token with all of these scopes, and with those that its controller requires. */
export const RequireScopes = (...scopes: string[]) => SetMetadata(REQUIRED_SCOPES, scopes);

/** The route asks the database, too, whether the token's session is still alive: a revoke counts at once. */
export const RequireLiveSession = () => SetMetadata(LIVE_SESSION, true);

const tokens = new WeakMap<Request, AccessToken>();

/** A parameter of a route behind AccessTokenGuard: the claims of its access token. */
export const BearerToken = createParamDecorator((_: unknown, context: ExecutionContext): AccessToken => {
  const token = tokens.get(context.switchToHttp().getRequest<Request>());
  if (!token) throw new Error('AccessTokenGuard did not run before this');
  return token;
});

/**
 * Lets a request with one of our access tokens through (RFC 6750, RFC 9068). It refuses with Nest's own exceptions, so a
 * host's routes answer in the host's words, and sets `WWW-Authenticate` (RFC 6750 §3).
 */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    private readonly accessTokens: AccessTokenService,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const challenge = (parameters: string) =>
      http.getResponse<Response>().setHeader('WWW-Authenticate', `Bearer ${parameters}`);
    const from = [context.getHandler(), context.getClass()];
    const sent = await this.presented(request);
    if (sent === undefined) {
      challenge(REALM); // RFC 6750 §3.1: without a token no error word either
      throw new UnauthorizedException();
    }
    const token = await this.accessTokens.verify(sent);
    const needsLife = this.reflector.getAllAndOverride<boolean | undefined>(LIVE_SESSION, from) ?? false;
    if (!token || (needsLife && !(await this.accessTokens.isLive(token)))) {
      challenge(`${REALM}, error="invalid_token"`);
      throw new UnauthorizedException();
    }
    const required = this.reflector.getAllAndMerge<string[]>(REQUIRED_SCOPES, from);
    const granted = token.scope.split(' ');
    if (!required.every((scope) => granted.includes(scope))) {
      challenge(`${REALM}, error="insufficient_scope", scope="${required.join(' ')}"`);
      throw new ForbiddenException();
    }
    tokens.set(request, token);
    return true;
  }

  /** The access token as it was sent (RFC 6750 §2.1); undefined: none was. */
  protected presented(request: Request): string | undefined | Promise<string | undefined> {
    return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
  }
}
