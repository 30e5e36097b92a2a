import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Logger } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';
import { isDatabaseAway } from '../database/faults.js';
import { exchangeOf } from '../http/exchange-of.js';
import { type HttpExchange, NO_STORE } from '../http/http-exchange.js';
import { languageOf } from '../http/language.js';
import { AuthError } from './auth.error.js';
import { errorBody } from './error-body.js';
import { Catalogue } from './catalogue.js';
import type { ErrorCode, OAuthWord } from './error-table.js';

/** What a Nest or Express failure means in our catalogue, by its HTTP status. */
const BY_STATUS: Record<number, [ErrorCode, string]> = {
  400: ['invalid_argument', 'BODY_MALFORMED'],
  401: ['unauthenticated', 'ACCESS_TOKEN_INVALID'],
  403: ['permission_denied', 'SCOPE_INSUFFICIENT'],
  404: ['not_found', 'ROUTE_UNKNOWN'],
  405: ['method_not_allowed', 'METHOD_NOT_ALLOWED'],
  413: ['payload_too_large', 'BODY_TOO_LARGE'],
  415: ['unsupported_media_type', 'CONTENT_TYPE_UNSUPPORTED'],
  429: ['resource_exhausted', 'RATE_LIMIT_EXCEEDED'],
  503: ['unavailable', 'UNAVAILABLE'],
};

/**
 * Turns whatever was thrown into the one documented body; the only place that builds it.
 * The library binds it to its own controllers; the service binds it globally as well.
 */
@Catch()
export class AuthExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger('Auth');

  constructor(
    @Inject(AUTH_OPTIONS) protected readonly options: ResolvedAuthOptions,
    protected readonly catalogue: Catalogue,
  ) {}

  /** `error` and status as this dialect has them: here the words of /auth/v1. */
  protected wordOf(error: AuthError): OAuthWord {
    return this.catalogue.row(error);
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = exchangeOf(host);
    if (http.ended) return; // the host's own code, after our answer had left
    const error = this.hostsRefusal(thrown, http) ?? toAuthError(thrown);
    const word = this.wordOf(error);
    this.log(error, thrown, http.requestId);
    if (http.headersSent) {
      http.abort();
      return;
    }
    http.refusal = { error: word.error, reason: error.reason };
    this.answer(http, error, word, {
      ...NO_STORE,
      ...(http.hasHeader('WWW-Authenticate') ? {} : challenge(error, word, http)),
      ...(error.retryAfter === undefined ? {} : { 'Retry-After': String(error.retryAfter) }),
      ...error.headers,
    });
  }

  /** Tells the caller; the pages of the service do it in HTML. */
  protected answer(http: HttpExchange, error: AuthError, word: OAuthWord, headers: Record<string, string>): void {
    const body = errorBody(error, this.catalogue.row(error), word, {
      domain: this.options.domain,
      requestId: http.requestId,
      chinese: languageOf(http) === 'zh-CN',
    });
    http.json(word.status, body, headers);
  }

  /** What a guard of the host threw on a route of ours: in its own words, for they say what to do. Ours challenge. */
  private hostsRefusal(thrown: unknown, http: HttpExchange): AuthError | undefined {
    if (!(thrown instanceof HttpException) || http.hasHeader('WWW-Authenticate')) return undefined;
    const status = thrown.getStatus();
    if (status >= 500 || (status in BY_STATUS && status !== 401 && status !== 403)) return undefined;
    const { method, route, requestId } = http;
    this.logger.warn({ msg: `a guard of the host refused ${method} ${route}: ${thrown.message}`, requestId, status });
    const code = status === 401 ? 'unauthenticated' : 'permission_denied';
    return new AuthError(code, { reason: 'HOST_REFUSED', hint: thrown.message, cause: thrown });
  }

  private log(error: AuthError, thrown: unknown, requestId: string): void {
    const status = this.catalogue.row(error).status;
    if (status < 500) return;
    const cause = error.cause ?? thrown;
    const entry = {
      msg: error.message,
      requestId,
      cause: cause instanceof Error ? (cause.stack ?? cause.message) : cause,
    };
    if (status === 500) this.logger.error(entry);
    else this.logger.warn(entry);
  }
}

function toAuthError(thrown: unknown): AuthError {
  if (thrown instanceof AuthError) return thrown as AuthError;
  if (isDatabaseAway(thrown)) {
    return new AuthError('unavailable', { reason: 'DATABASE_UNAVAILABLE', retryAfter: 1, cause: thrown });
  }
  const status = statusOf(thrown);
  if (status === undefined || (status >= 500 && status !== 503)) {
    return new AuthError('internal', { reason: 'INTERNAL', cause: thrown });
  }
  const [code, reason] = BY_STATUS[status] ?? BY_STATUS[400]!;
  return new AuthError(code, { reason, ...(status === 503 ? { retryAfter: 1 } : {}), cause: thrown });
}

/** Nest's HttpException, or an error of Express's middleware that carries a client status. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status = (thrown as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function challenge(error: AuthError, word: OAuthWord, http: HttpExchange): Record<string, string> {
  if (error.code === 'unauthenticated') return { 'WWW-Authenticate': 'Bearer realm="auth", error="invalid_token"' }; // RFC 6750 §3
  const followedBasic = /^basic\b/i.test(http.header('authorization') ?? '');
  if (word.status !== 401 || !followedBasic) return {};
  return { 'WWW-Authenticate': 'Basic realm="auth", charset="UTF-8"' }; // RFC 6749 §5.2, RFC 7617 §2.1
}
