import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  type HttpException,
  Injectable,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { AuthError } from '../base/errors/auth.error.js';
import { exchangeOf } from '../base/http/exchange-of.js';
import type { RequestHead } from '../base/http/request-head.js';
import type { AccessToken } from '../core/sessions/access-token.js';
import {
  challenge,
  isUnauthenticated,
  PresentedTokens,
  type SentToken,
  sentToken,
} from '../core/sessions/presented-tokens.js';
import { requestOf, setClaims } from './guarded-request.js';
import { refusal } from './refusal.js';
import { requestHeadOf } from './request-head-of.js';
import { accessBy, OF_OURS, type RequiredGroup, rulesOf } from './rules.js';

/**
 * Lets a request with one of our access tokens through (RFC 6750, RFC 9068), a bound one with a proof of its key
 * (RFC 9449 §7), and puts its claims on the request. It refuses with Nest's own exceptions, so a host's routes answer in
 * the host's words, and sets `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1).
 */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  static readonly [OF_OURS] = true;

  constructor(private readonly tokens: PresentedTokens) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = accessBy(this.constructor, context);
    if (access === 'public') return true;
    const request = this.getRequest(context);
    const head = headOf(context, request);
    const sent = await this.presented(head);
    if (!sent && access === 'optional' && !isMeantAsToken(head)) return setAll(context, request, undefined);
    // RFC 6750 §3.1: without a token no error word either
    if (!sent) throw await refused(context, new UnauthorizedException(), challenge('Bearer'), challenge('DPoP'));
    return setAll(context, request, await this.read(context, head, sent));
  }

  /**
   * Where the token comes with, and its claims are put: an object with `headers`, and where tokens are bound to a key
   * also `method` and `url`. Default: the request; in a GraphQL resolver `context.req`; in a gateway the socket (of
   * Socket.IO); in a message handler the context of the message, whose headers or metadata have it.
   */
  protected getRequest(context: ExecutionContext): object {
    return requestOf(context);
  }

  /**
   * The access token as it was sent; undefined: none was. Default: by the Authorization header (RFC 6750 §2.1, RFC 9449
   * §7.1).
   * @param request of HTTP, the whole HttpExchange
   */
  protected presented(request: RequestHead): SentToken | undefined | Promise<SentToken | undefined> {
    return sentToken(request);
  }

  private async read(context: ExecutionContext, head: RequestHead, sent: SentToken): Promise<AccessToken> {
    const { scopes, groups, maxAge, live } = rulesOf(context);
    let lacks: 'scope' | 'group' | undefined;
    const require = (token: AccessToken) => {
      lacks = !hasScopes(token, scopes) ? 'scope' : !hasGroups(token, groups) ? 'group' : undefined;
      if (lacks) throw new ForbiddenException();
    };
    try {
      return (await this.tokens.read(head, { sent, live, maxAge, require }))!;
    } catch (error) {
      if (isUnauthenticated(error)) {
        throw await refused(context, new UnauthorizedException(), error.headers!['WWW-Authenticate']!);
      }
      if (error instanceof AuthError && error.code === 'unavailable') {
        throw await refused(context, new ServiceUnavailableException(undefined, { cause: error }));
      }
      if (!(error instanceof ForbiddenException)) throw error;
      const wanted = `${challenge(sent.scheme, 'insufficient_scope')}, scope="${scopes.join(' ')}"`;
      throw await refused(context, error, ...(lacks === 'scope' ? [wanted] : []));
    }
  }
}

function headOf(context: ExecutionContext, request: object): RequestHead {
  const isWhole = context.getType() === 'http' && request === context.getArgByIndex(0);
  return isWhole ? exchangeOf(context) : requestHeadOf(request);
}

/** On the guard's request, and where nobody else would find that, on the one that everybody knows. */
function setAll(context: ExecutionContext, request: object, claims: AccessToken | undefined): true {
  setClaims(request, claims);
  // a message of a socket is not all of them: others of it are under way
  if (!context.getArgs().includes(request)) setClaims(requestOf(context), claims);
  return true;
}

async function refused(context: ExecutionContext, exception: HttpException, ...challenges: string[]): Promise<Error> {
  if (context.getType() === 'http') {
    if (challenges.length > 0) exchangeOf(context).setHeader('WWW-Authenticate', challenges);
    if (exception instanceof ServiceUnavailableException) exchangeOf(context).setHeader('Retry-After', '1');
  }
  return refusal(context, exception);
}

/** A header that is malformed: whoever sent it is not nobody. */
function isMeantAsToken(head: RequestHead): boolean {
  return /^(?:bearer|dpop)\b/i.test(head.header('authorization') ?? '');
}

// other issuers than ours may leave both out
function hasScopes({ scope = '' }: AccessToken, required: string[]): boolean {
  const granted = scope.split(' ');
  return required.every((word) => granted.includes(word));
}

function hasGroups({ groups = [] }: AccessToken, required: RequiredGroup[]): boolean {
  return required.every((one) => [one].flat().some((group) => groups.includes(group)));
}
