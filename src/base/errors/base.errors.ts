import { type ErrorTable, oauth, say } from './error-table.js';

/** What can go wrong with any request. */
export const BASE_ERRORS = {
  invalid_argument: {
    error: 'invalid_argument',
    status: 400,
    code: 3,
    error_code: 40001,
    oauth: oauth('invalid_request', 400),
    sentence: say('A parameter is missing or wrong.', '参数错误或用户输入的信息不正确。'),
    reasons: {
      PARAMETER_MISSING: say('A required parameter is missing.', '缺少必填参数。'),
      PARAMETER_REPEATED: say('A parameter was sent more than once.', '参数重复。'),
      PARAMETER_INVALID: say('A parameter is malformed.', '参数格式不正确。'),
      PARAMETER_TOO_LONG: say('A parameter is too long.', '参数过长。'),
      REQUEST_MALFORMED: say('The request is not well-formed HTTP.', '请求不是合法的 HTTP 报文。'),
      BODY_MALFORMED: say('The request body could not be read.', '请求体格式错误，无法解析。'),
      BODY_TIMEOUT: say('The request body did not arrive in time.', '请求体未能及时送达。'),
    },
  },
  method_not_allowed: {
    error: 'invalid_argument',
    status: 405,
    code: 3,
    error_code: 40501,
    oauth: oauth('invalid_request', 405),
    sentence: say('This method is not allowed here.', '不支持该请求方法。'),
    reasons: {
      METHOD_NOT_ALLOWED: say('This method is not allowed here.', '不支持该请求方法。'),
    },
  },
  payload_too_large: {
    error: 'invalid_argument',
    status: 413,
    code: 3,
    error_code: 41301,
    oauth: oauth('invalid_request', 413),
    sentence: say('The request body is too large.', '请求体过大。'),
    reasons: {
      BODY_TOO_LARGE: say('The request body is larger than 64 KiB.', '请求体超过 64 KiB。'),
    },
  },
  unsupported_media_type: {
    error: 'invalid_argument',
    status: 415,
    code: 3,
    error_code: 41501,
    oauth: oauth('invalid_request', 415),
    sentence: say('This content type is not supported.', '不支持该内容类型。'),
    reasons: {
      CONTENT_TYPE_UNSUPPORTED: say(
        'Send application/json, application/x-www-form-urlencoded or JSON as text/plain.',
        '仅支持 application/json、application/x-www-form-urlencoded，或以 text/plain 发送的 JSON。',
      ),
      CHARSET_UNSUPPORTED: say('Send the body as UTF-8.', '请求体须使用 UTF-8 编码。'),
      CONTENT_ENCODING_UNSUPPORTED: say('Send the body uncompressed.', '请求体不能压缩。'),
    },
  },
  unauthenticated: {
    error: 'unauthenticated',
    status: 401,
    code: 16,
    error_code: 40103,
    oauth: oauth('invalid_token', 401),
    sentence: say('The access token is not correct or has expired.', 'access token 不正确或已过期。'),
    reasons: {
      ACCESS_TOKEN_INVALID: say('The access token is not correct or has expired.', 'access token 不正确或已过期。'),
      HOST_REFUSED: say('The application refuses this request.', '应用拒绝了该请求。', oauth('access_denied', 401)),
    },
  },
  permission_denied: {
    error: 'permission_denied',
    status: 403,
    code: 7,
    error_code: 40301,
    oauth: oauth('unauthorized_client', 400),
    sentence: say('This is not allowed.', '权限不足。'),
    reasons: {
      SCOPE_INSUFFICIENT: say(
        'The access token has not the scope that this needs.',
        'access token 的 scope 不足。',
        oauth('insufficient_scope', 403), // RFC 6750 §3.1
      ),
      HOST_REFUSED: say('The application refuses this request.', '应用拒绝了该请求。', oauth('access_denied', 403)),
    },
  },
  not_found: {
    error: 'not_found',
    status: 404,
    code: 5,
    error_code: 40401,
    oauth: oauth('not_found', 404),
    sentence: say('There is no such route.', '请求的路径不存在。'),
    reasons: {
      ROUTE_UNKNOWN: say('There is no such route.', '请求的路径不存在。'),
    },
  },
  resource_exhausted: {
    error: 'resource_exhausted',
    status: 429,
    code: 8,
    error_code: 42901,
    oauth: oauth('temporarily_unavailable', 429),
    sentence: say('Too many requests; try again later.', '请求超过频次限制，请稍后重试。'),
    reasons: {},
  },
  internal: {
    error: 'internal',
    status: 500,
    code: 13,
    error_code: 50001,
    oauth: oauth('server_error', 500),
    sentence: say('System error; try again later.', '系统错误，请稍后重试。'),
    reasons: {
      INTERNAL: say('System error; try again later.', '系统错误，请稍后重试。'),
    },
  },
  unavailable: {
    error: 'unavailable',
    status: 503,
    code: 14,
    error_code: 50301,
    oauth: oauth('temporarily_unavailable', 503),
    sentence: say('The service is busy; try again shortly.', '服务暂时不可用，请稍后重试。'),
    reasons: {
      DATABASE_UNAVAILABLE: say('The database is away; try again shortly.', '数据库暂时不可用，请稍后重试。'),
    },
  },
} satisfies ErrorTable;

declare module './error-table.js' {
  interface ErrorTables {
    base: typeof BASE_ERRORS;
  }
}
