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
import { DPOP_ALGS, DpopProofService } from '../dpop/dpop-proof.service.js';
import { AuthError } from '../errors/auth.error.js';
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

/** RFC 9449 §7.1: every challenge of its scheme says what proofs may be signed with. */
const dpop = (error?: string) => `DPoP ${error === undefined ? '' : `error="${error}", `}algs="${DPOP_ALGS.join(' ')}"`;
const bearer = (error: string) => `Bearer error="${error}"`;

/**
 * Lets a request with one of our access tokens through (RFC 6750, RFC 9068), a bound one with a proof of its key
 * (RFC 9449 §7). It refuses with Nest's own exceptions, so a host's routes answer in the host's words, and sets
 * `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1).
 */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    private readonly accessTokens: AccessTokenService,
    private readonly proofs: DpopProofService,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const from = [context.getHandler(), context.getClass()];
    const refuse = (...challenges: string[]): never => {
      response.setHeader('WWW-Authenticate', challenges);
      throw new UnauthorizedException();
    };
    const sent = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i.exec(request.headers.authorization ?? '');
    if (!sent) return refuse('Bearer', dpop());
    const challenge = sent[1]!.toLowerCase() === 'dpop' ? dpop : bearer;
    const token = await this.accessTokens.verify(sent[2]!);
    if (!token) return refuse(challenge('invalid_token'));
    if (challenge === bearer && token.cnf) return refuse(dpop('invalid_token')); // RFC 9449 §7.2: no downgrade
    if (challenge === dpop) {
      const jkt = await this.proofs.accept(request, sent[2]).catch((error: unknown) => {
        if (error instanceof AuthError && error.code === 'invalid_dpop_proof') return undefined;
        throw error;
      });
      if (jkt === undefined) return refuse(dpop('invalid_dpop_proof'));
      if (jkt !== token.cnf?.jkt) return refuse(dpop('invalid_token'));
    }
    const needsLife = this.reflector.getAllAndOverride<boolean | undefined>(LIVE_SESSION, from) ?? false;
    if (needsLife && !(await this.accessTokens.isLive(token))) return refuse(challenge('invalid_token'));
    const required = this.reflector.getAllAndOverride<string[] | undefined>(REQUIRED_SCOPES, from) ?? [];
    const granted = token.scope.split(' ');
    if (!required.every((scope) => granted.includes(scope))) {
      response.setHeader('WWW-Authenticate', `${challenge('insufficient_scope')}, scope="${required.join(' ')}"`);
      throw new ForbiddenException();
    }
    tokens.set(request, token);
    return true;
  }
}
