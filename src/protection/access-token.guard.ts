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
import { DPOP_ALGS, DpopProofService } from '../core/dpop/dpop-proof.service.js';
import { AuthError } from '../base/errors/auth.error.js';
import { exchangeOf } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import { type AccessToken, AccessTokenService } from '../core/sessions/access-token.service.js';

const REQUIRED_SCOPES = 'nest-auth:required-scopes';
const LIVE_SESSION = 'nest-auth:live-session';

/** The route needs an access token with all of these scopes, and with those that its controller requires. */
export const RequireScopes = (...scopes: string[]) => SetMetadata(REQUIRED_SCOPES, scopes);

/** The route asks the database, too, whether the token's session is still alive: a revoke counts at once. */
export const RequireLiveSession = () => SetMetadata(LIVE_SESSION, true);

const TOKEN = Symbol('access token');
type Guarded = HttpExchange & { [TOKEN]?: AccessToken };

/** The claims of the access token that AccessTokenGuard has let through. */
export function bearerTokenOf({ [TOKEN]: token }: Guarded): AccessToken {
  if (!token) throw new Error('AccessTokenGuard did not run before this');
  return token;
}

/** A parameter of a route behind AccessTokenGuard: the claims of its access token. */
export const BearerToken = createParamDecorator((_: unknown, context: ExecutionContext): AccessToken =>
  bearerTokenOf(exchangeOf(context)),
);

const REALM = 'realm="auth"'; // RFC 6750 §3 requires at least one parameter

/** How a token was sent: the scheme says whether a proof of its key comes with it. */
export interface PresentedToken {
  scheme: 'Bearer' | 'DPoP';
  token: string;
}

/** A challenge; one of DPoP's says what proofs may be signed with (RFC 9449 §7.1). */
function challenge(scheme: PresentedToken['scheme'], error?: string): string {
  const word = error === undefined ? '' : `, error="${error}"`;
  return `${scheme} ${REALM}${word}` + (scheme === 'DPoP' ? `, algs="${DPOP_ALGS.join(' ')}"` : '');
}

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
    const http: Guarded = exchangeOf(context);
    const from = [context.getHandler(), context.getClass()];
    const say = (...challenges: string[]) => http.setHeader('WWW-Authenticate', challenges);
    const refuse = (...challenges: string[]): never => {
      say(...challenges);
      throw new UnauthorizedException();
    };
    const sent = await this.presented(http);
    // RFC 6750 §3.1: without a token no error word either
    if (!sent) return refuse(challenge('Bearer'), challenge('DPoP'));
    const { scheme } = sent;
    const token = await this.accessTokens.verify(sent.token);
    if (!token) return refuse(challenge(scheme, 'invalid_token'));
    if (scheme === 'Bearer' && token.cnf) return refuse(challenge('DPoP', 'invalid_token')); // RFC 9449 §7.2: no downgrade
    if (scheme === 'DPoP') {
      const jkt = await this.proofs.accept(http, sent.token).catch((error: unknown) => {
        if (error instanceof AuthError && error.code === 'invalid_dpop_proof') return undefined;
        throw error;
      });
      if (jkt === undefined) return refuse(challenge(scheme, 'invalid_dpop_proof'));
      if (jkt !== token.cnf?.jkt) return refuse(challenge(scheme, 'invalid_token'));
    }
    const needsLife = this.reflector.getAllAndOverride<boolean | undefined>(LIVE_SESSION, from) ?? false;
    if (needsLife && !(await this.accessTokens.isLive(token))) return refuse(challenge(scheme, 'invalid_token'));
    const required = this.reflector.getAllAndMerge<string[]>(REQUIRED_SCOPES, from);
    const granted = token.scope.split(' ');
    if (!required.every((scope) => granted.includes(scope))) {
      say(`${challenge(scheme, 'insufficient_scope')}, scope="${required.join(' ')}"`);
      throw new ForbiddenException();
    }
    http[TOKEN] = token;
    return true;
  }

  /** The access token as it was sent (RFC 6750 §2.1, RFC 9449 §7.1); undefined: none was. */
  protected presented(http: HttpExchange): PresentedToken | undefined | Promise<PresentedToken | undefined> {
    const sent = /^(?:(bearer)|dpop) +([A-Za-z0-9._~+/-]+=*)$/i.exec(http.header('authorization') ?? '');
    return sent ? { scheme: sent[1] === undefined ? 'DPoP' : 'Bearer', token: sent[2]! } : undefined;
  }
}
