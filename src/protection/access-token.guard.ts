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
import { bearerOf } from '../http/bearer.js';
import { type AccessToken, AccessTokenService } from '../sessions/access-token.service.js';

const REQUIRED_SCOPES = 'nest-auth:required-scopes';
const LIVE_SESSION = 'nest-auth:live-session';

/** The route needs an access token with all of these scopes. */
export const RequireScopes = (...scopes: string[]) => SetMetadata(REQUIRED_SCOPES, scopes);

/** The route asks the database, too, whether the token's session is still alive: a revoke counts at once. */
export const RequireLiveSession = () => SetMetadata(LIVE_SESSION, true);

const tokens = new WeakMap<Request, AccessToken>();

/** A parameter of a guarded route: the claims of its access token. */
export const BearerToken = createParamDecorator((_: unknown, context: ExecutionContext): AccessToken | undefined =>
  tokens.get(context.switchToHttp().getRequest<Request>()),
);

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
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const from = [context.getHandler(), context.getClass()];
    const sent = bearerOf(request);
    if (sent === undefined) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      throw new UnauthorizedException();
    }
    const token = await this.accessTokens.verify(sent);
    const needsLife = this.reflector.getAllAndOverride<boolean | undefined>(LIVE_SESSION, from) ?? false;
    if (!token || (needsLife && !(await this.accessTokens.isLive(token)))) {
      response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
      throw new UnauthorizedException();
    }
    const required = this.reflector.getAllAndOverride<string[] | undefined>(REQUIRED_SCOPES, from) ?? [];
    const granted = token.scope.split(' ');
    if (!required.every((scope) => granted.includes(scope))) {
      response.setHeader('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${required.join(' ')}"`);
      throw new ForbiddenException();
    }
    tokens.set(request, token);
    return true;
  }
}
