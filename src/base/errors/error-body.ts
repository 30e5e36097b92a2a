import type { AuthError } from './auth.error.js';
import type { ErrorRow, OAuthWord } from './error-table.js';

const TYPE = 'type.googleapis.com/google.rpc.';

/** Whom an error is told to. */
export interface Audience {
  /** google.rpc.ErrorInfo.domain. */
  domain: string;
  requestId: string;
  /** Whether the caller reads Chinese. */
  chinese: boolean;
}

/** The one documented body of every failure: OAuth's members, CloudBase's, and google.rpc.Status at once. */
export function errorBody(
  error: AuthError,
  row: ErrorRow,
  word: OAuthWord,
  { domain, requestId, chinese }: Audience,
): object {
  const sentence = row.reasons[error.reason] ?? row.sentence;
  const message = error.hint === undefined ? sentence.en : `${sentence.en} ${error.hint}`;
  const details: object[] = [{ '@type': `${TYPE}ErrorInfo`, reason: error.reason, domain, metadata: {} }];
  if (error.fields) details.push({ '@type': `${TYPE}BadRequest`, fieldViolations: error.fields });
  if (error.retryAfter !== undefined) {
    details.push({ '@type': `${TYPE}RetryInfo`, retryDelay: `${error.retryAfter}s` });
  }
  details.push({ '@type': `${TYPE}RequestInfo`, requestId });
  if (chinese) details.push({ '@type': `${TYPE}LocalizedMessage`, locale: 'zh-CN', message: sentence['zh-CN'] });
  return {
    error: word.error,
    error_code: row.error_code,
    error_description: message,
    code: row.code,
    message,
    details,
  };
}
