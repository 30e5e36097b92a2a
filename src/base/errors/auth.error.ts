import type { ErrorCode, Reason } from './error-table.js';

/** One offending field of the request (google.rpc.BadRequest.FieldViolation). */
export interface FieldViolation {
  field: string;
  description: string;
}

export interface AuthErrorOptions<C extends ErrorCode = ErrorCode> {
  /** google.rpc.ErrorInfo.reason, public. */
  reason: Reason<C>;
  /** One more sentence for the caller, public: never anything the caller sent. */
  hint?: string;
  fields?: FieldViolation[];
  /** Seconds until another try makes sense: `Retry-After` and google.rpc.RetryInfo. */
  retryAfter?: number;
  /** Further response headers. */
  headers?: Record<string, string>;
  /** For the log alone. */
  cause?: unknown;
}

/**
 * The only error that the domain throws. What it looks like on the wire is the catalogue's and the filter's business.
 *
 * @example throw new AuthError('invalid_grant', { reason: 'REFRESH_TOKEN_EXPIRED' });
 */
export class AuthError<C extends ErrorCode = ErrorCode> extends Error {
  readonly reason: string;
  readonly hint?: string;
  readonly fields?: FieldViolation[];
  readonly retryAfter?: number;
  readonly headers?: Record<string, string>;

  constructor(
    readonly code: C,
    options: AuthErrorOptions<C>,
  ) {
    super([code, options.reason, ...(options.fields ?? []).map(described)].join(': '), { cause: options.cause });
    this.name = 'AuthError';
    this.reason = options.reason;
    this.hint = options.hint;
    this.fields = options.fields;
    this.retryAfter = options.retryAfter;
    this.headers = options.headers;
  }
}

/** One line, for people who read it in a log or a terminal. */
export function described({ field, description }: FieldViolation): string {
  return `${field}: ${description}`;
}

/** `invalid_argument` about one field of the request. */
export function badField(
  field: string,
  reason: 'PARAMETER_MISSING' | 'PARAMETER_REPEATED' | 'PARAMETER_INVALID' | 'PARAMETER_TOO_LONG',
  description: string,
): AuthError<'invalid_argument'> {
  return new AuthError('invalid_argument', { reason, fields: [{ field, description }] });
}

/** 401 for a caller whose access token is missing, or no longer stands for anybody. */
export function accessTokenInvalid(): AuthError<'unauthenticated'> {
  return new AuthError('unauthenticated', { reason: 'ACCESS_TOKEN_INVALID' });
}

/** 405; `allow` lists the methods that there are (RFC 9110 §15.5.6). */
export function methodNotAllowed(allow: string): AuthError<'method_not_allowed'> {
  return new AuthError('method_not_allowed', { reason: 'METHOD_NOT_ALLOWED', headers: { Allow: allow } });
}
