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
import { exchangeOf } from '../base/http/exchange-of.js';
import type { HttpExchange } from '../base/http/http-exchange.js';
import type { AccessToken } from '../core/sessions/access-token.service.js';
import {
  challenge,
  isUnauthenticated,
  PresentedTokens,
  type SentToken,
  sentToken,
} from '../core/sessions/presented-tokens.js';

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

/**
 * Lets a request with one of our access tokens through (RFC 6750, RFC 9068), a bound one with a proof of its key
 * (RFC 9449 §7). It refuses with Nest's own exceptions, so a host's routes answer in the host's words, and sets
 * `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1).
 */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    private readonly tokens: PresentedTokens,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http: Guarded = exchangeOf(context);
    const from = [context.getHandler(), context.getClass()];
    const refuse = (...challenges: string[]): never => {
      http.setHeader('WWW-Authenticate', challenges);
      throw new UnauthorizedException();
    };
    const sent = await this.presented(http);
    // RFC 6750 §3.1: without a token no error word either
    if (!sent) return refuse(challenge('Bearer'), challenge('DPoP'));
    const required = this.reflector.getAllAndMerge<string[]>(REQUIRED_SCOPES, from);
    const reading = {
      sent,
      live: this.reflector.getAllAndOverride<boolean | undefined>(LIVE_SESSION, from),
      require: (token: AccessToken) => {
        if (hasScopes(token, required)) return;
        http.setHeader(
          'WWW-Authenticate',
          `${challenge(sent.scheme, 'insufficient_scope')}, scope="${required.join(' ')}"`,
        );
        throw new ForbiddenException();
      },
    };
    http[TOKEN] = await this.tokens.read(http, reading).catch((error: unknown) => {
      if (isUnauthenticated(error)) return refuse(error.headers!['WWW-Authenticate']!);
      throw error;
    });
    return true;
  }

  /** The access token as it was sent (RFC 6750 §2.1, RFC 9449 §7.1); undefined: none was. */
  protected presented(http: HttpExchange): SentToken | undefined | Promise<SentToken | undefined> {
    return sentToken(http);
  }
}

function hasScopes({ scope }: AccessToken, required: string[]): boolean {
  const granted = scope.split(' ');
  return required.every((word) => granted.includes(word));
}
