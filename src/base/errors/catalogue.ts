/** What a caller reads, in each language the service speaks. */
export interface Sentence {
  en: string;
  'zh-CN': string;
  /** Where the standard's word for this reason is not the row's. */
  oauth?: OAuthWord;
}

/** What the standards call a failure: the `error` and the HTTP status of RFC 6749, 6750, 7009, 8628 and OpenID Connect. */
export interface OAuthWord {
  error: string;
  status: number;
}

interface Row {
  /** The word of the contract: `error` in the body. */
  error: string;
  /** HTTP status. */
  status: number;
  /** Number of google.rpc.Code. */
  code: number;
  /** HTTP status × 100 + a serial number; never 0, never reused. */
  error_code: number;
  /** The same failure in the words of the standards, under /oauth2. */
  oauth: OAuthWord;
  /** The sentence for a reason that has none of its own (a host's own grant, say). */
  sentence: Sentence;
  /** google.rpc.ErrorInfo.reason → its own sentence. */
  reasons: Record<string, Sentence>;
}

const say = (en: string, zh: string, oauth?: OAuthWord): Sentence => ({ en, 'zh-CN': zh, ...(oauth && { oauth }) });
const oauth = (error: string, status: number): OAuthWord => ({ error, status });

/**
 * Every failure of the service: the one place that knows statuses, codes and sentences.
 * The official SDK reads categories out of the words: "password" and "not found" stand only where they mean it.
 */
export const CATALOGUE = {
  invalid_argument: {
    error: 'invalid_argument',
    status: 400,
    code: 3,
    error_code: 40001,
    oauth: oauth('invalid_request', 400),
    sentence: say('A parameter is missing or wrong.', '参数错误或用户输入的信息不正确。'),
    reasons: {
      PARAMETER_MISSING: say('A required parameter is missing.', '缺少必填参数。'),
      CLIENT_ID_MISSING: say('The request names no client.', '请求未指明客户端。', oauth('invalid_client', 401)),
      PARAMETER_REPEATED: say('A parameter was sent more than once.', '参数重复。'),
      PARAMETER_INVALID: say('A parameter is malformed.', '参数格式不正确。'),
      PARAMETER_TOO_LONG: say('A parameter is too long.', '参数过长。'),
      REQUEST_MALFORMED: say('The request is not well-formed HTTP.', '请求不是合法的 HTTP 报文。'),
      BODY_MALFORMED: say('The request body could not be read.', '请求体格式错误，无法解析。'),
      BODY_TIMEOUT: say('The request body did not arrive in time.', '请求体未能及时送达。'),
      BASIC_MALFORMED: say('The Authorization header is malformed.', 'Authorization 请求头格式不正确。'),
      CLIENT_AUTHENTICATION_REPEATED: say(
        'Authenticate the client in one way only: the Authorization header or the body.',
        '客户端只能使用一种认证方式：Authorization 请求头或请求体。',
      ),
      CLIENT_ID_MISMATCH: say('The request names more than one client_id.', '请求中的 client_id 不一致。'),
      REDIRECT_URI_UNREGISTERED: say(
        'redirect_uri is not registered for this client.',
        'redirect_uri 未在该客户端登记。',
      ),
      RESPONSE_TYPE_UNSUPPORTED: say(
        'This response_type is not supported; code is.',
        '不支持该 response_type，仅支持 code。',
        oauth('unsupported_response_type', 400),
      ),
      REQUEST_OBJECT_UNSUPPORTED: say(
        'Request objects are not supported; push the request instead.',
        '不支持 request 参数，请改用推送授权请求（PAR）。',
        oauth('request_not_supported', 400),
      ),
      REQUEST_URI_INVALID: say(
        'This request_uri is wrong, used or expired.',
        'request_uri 不正确、已使用或已过期。',
        oauth('invalid_request_uri', 400),
      ),
      REQUEST_URI_UNSUPPORTED: say(
        'Only a request_uri of a pushed request is supported.',
        '仅支持推送授权请求（PAR）的 request_uri。',
        oauth('request_uri_not_supported', 400),
      ),
      REGISTRATION_UNSUPPORTED: say(
        'The registration parameter is not supported.',
        '不支持 registration 参数。',
        oauth('registration_not_supported', 400),
      ),
      PAGE_EXPIRED: say(
        'This page has expired. Go back to where you came from and start again.',
        '页面已过期，请返回来源页面重新开始。',
      ),
      USER_CODE_INVALID: say(
        'This code is wrong, used or expired. Compare it with the one on your device.',
        '该代码不正确、已使用或已过期，请与设备上显示的代码核对。',
      ),
      WRONG_USERNAME_OR_PASSWORD: say(
        'The username or password is wrong.',
        '用户名或密码不正确。',
        oauth('invalid_grant', 400),
      ),
    },
  },
  method_not_allowed: {
    error: 'invalid_argument',
    status: 405,
    code: 3,
    error_code: 40501,
    oauth: oauth('invalid_request', 405),
    sentence: say('This method is not allowed here.', '不支持该请求方法。'),
    reasons: { METHOD_NOT_ALLOWED: say('This method is not allowed here.', '不支持该请求方法。') },
  },
  payload_too_large: {
    error: 'invalid_argument',
    status: 413,
    code: 3,
    error_code: 41301,
    oauth: oauth('invalid_request', 413),
    sentence: say('The request body is too large.', '请求体过大。'),
    reasons: { BODY_TOO_LARGE: say('The request body is larger than 64 KiB.', '请求体超过 64 KiB。') },
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
  unsupported_grant_type: {
    error: 'unsupported_grant_type',
    status: 400,
    code: 3,
    error_code: 40002,
    oauth: oauth('unsupported_grant_type', 400),
    sentence: say('This grant_type is not supported.', '不支持该 grant_type。'),
    reasons: { GRANT_TYPE_UNSUPPORTED: say('This grant_type is not supported.', '不支持该 grant_type。') },
  },
  invalid_grant: {
    error: 'invalid_grant',
    status: 400,
    code: 9,
    error_code: 40003,
    oauth: oauth('invalid_grant', 400),
    sentence: say('This grant is wrong, used or expired.', '授权凭证不正确、已使用或已过期。'),
    reasons: {
      REFRESH_TOKEN_INVALID: say('The refresh token is wrong. Sign in again.', 'refresh token 不正确，请重新登录。'),
      REFRESH_TOKEN_EXPIRED: say('The refresh token has expired. Sign in again.', 'refresh token 已过期，请重新登录。'),
      REFRESH_TOKEN_REUSED: say(
        'The refresh token was used before, so its session has been ended. Sign in again.',
        'refresh token 已被使用过，会话已终止，请重新登录。',
      ),
      SESSION_REVOKED: say('The session has ended. Sign in again.', '会话已结束，请重新登录。'),
      CODE_INVALID: say('The authorization code is wrong.', '授权码不正确。'),
      CODE_EXPIRED: say('The authorization code has expired.', '授权码已过期。'),
      CODE_REUSED: say(
        'The authorization code was used before, so what it gave has been revoked.',
        '授权码已被使用过，由它签发的令牌已被撤销。',
      ),
      REDIRECT_URI_MISMATCH: say(
        'redirect_uri is not the one the authorization code was issued for.',
        'redirect_uri 与申请授权码时不一致。',
      ),
      CODE_VERIFIER_MISMATCH: say(
        'code_verifier does not match the authorization code.',
        'code_verifier 与授权码不匹配。',
      ),
      DPOP_KEY_MISMATCH: say(
        'This is bound to another key than the DPoP proof was made with.',
        '该凭证绑定的密钥与 DPoP 证明的密钥不一致。',
      ),
      DEVICE_CODE_INVALID: say('The device code is wrong or was used before.', '设备码不正确或已被使用。'),
    },
  },
  invalid_scope: {
    error: 'invalid_scope',
    status: 400,
    code: 3,
    error_code: 40004,
    oauth: oauth('invalid_scope', 400),
    sentence: say('This scope is not supported.', '不支持该 scope。'),
    reasons: {
      SCOPE_NOT_ALLOWED: say('This scope is unknown or not allowed to the client.', 'scope 不存在或客户端无权使用。'),
      SCOPE_WIDENED: say('The scope goes beyond what the session was granted.', 'scope 超出了会话已获得的范围。'),
    },
  },
  authorization_pending: {
    error: 'authorization_pending',
    status: 400,
    code: 9,
    error_code: 40005,
    oauth: oauth('authorization_pending', 400),
    sentence: say('The user has not answered yet.', '用户尚未完成授权。'),
    reasons: { AUTHORIZATION_PENDING: say('The user has not answered yet.', '用户尚未完成授权。') },
  },
  slow_down: {
    error: 'slow_down',
    status: 400,
    code: 8,
    error_code: 40006,
    oauth: oauth('slow_down', 400),
    sentence: say('Polling too fast; wait longer between requests.', '轮询过于频繁，请延长间隔。'),
    reasons: { POLLING_TOO_FAST: say('Polling too fast; wait longer between requests.', '轮询过于频繁，请延长间隔。') },
  },
  access_denied: {
    error: 'access_denied',
    status: 400,
    code: 7,
    error_code: 40007,
    oauth: oauth('access_denied', 400),
    sentence: say('The user refused.', '用户拒绝了授权。'),
    reasons: {
      ACCESS_DENIED: say('The user refused.', '用户拒绝了授权。'),
      // OpenID Connect Core §3.1.2.6
      LOGIN_REQUIRED: say('The user has to sign in.', '用户需要登录。', oauth('login_required', 400)),
      CONSENT_REQUIRED: say('The user has to consent.', '需要用户授权同意。', oauth('consent_required', 400)),
    },
  },
  expired_token: {
    error: 'expired_token',
    status: 400,
    code: 9,
    error_code: 40008,
    oauth: oauth('expired_token', 400),
    sentence: say('The device code has expired. Start again.', '设备码已过期，请重新开始。'),
    reasons: { DEVICE_CODE_EXPIRED: say('The device code has expired. Start again.', '设备码已过期，请重新开始。') },
  },
  invalid_dpop_proof: {
    error: 'invalid_dpop_proof',
    status: 400,
    code: 3,
    error_code: 40009,
    oauth: oauth('invalid_dpop_proof', 400), // RFC 9449 §5, §12.2
    sentence: say('The DPoP proof is wrong.', 'DPoP 证明不正确。'),
    reasons: {
      DPOP_PROOF_MISSING: say('This needs a DPoP proof.', '该请求必须携带 DPoP 证明。'),
      DPOP_PROOF_INVALID: say('The DPoP proof is wrong.', 'DPoP 证明不正确。'),
      DPOP_PROOF_MISMATCH: say('The DPoP proof was made for another request.', 'DPoP 证明与该请求不符。'),
      DPOP_PROOF_EXPIRED: say(
        'The DPoP proof is too old or from the future; check the clock of the device.',
        'DPoP 证明已过期或时间超前，请检查设备时间。',
      ),
      DPOP_PROOF_REUSED: say(
        'The DPoP proof was used before; make a new one for each request.',
        'DPoP 证明已被使用过，每次请求须重新生成。',
      ),
    },
  },
  unsupported_token_type: {
    error: 'unsupported_token_type',
    status: 400,
    code: 3,
    error_code: 40010,
    oauth: oauth('unsupported_token_type', 400), // RFC 7009 §2.2.1
    sentence: say('This kind of token cannot be revoked.', '不支持撤销该类型的令牌。'),
    reasons: {
      TOKEN_TYPE_UNKNOWN: say(
        'token_type_hint must be access_token or refresh_token.',
        'token_type_hint 只能是 access_token 或 refresh_token。',
      ),
      TOKEN_NOT_REVOCABLE: say(
        "A client's own access token cannot be revoked; it lives until it expires.",
        '客户端自身的 access token 无法撤销，到期后自动失效。',
      ),
    },
  },
  invalid_username_or_password: {
    error: 'invalid_username_or_password',
    status: 400,
    code: 3,
    error_code: 40020,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The username or password is wrong.', '用户名或密码不正确。'),
    reasons: { WRONG_USERNAME_OR_PASSWORD: say('The username or password is wrong.', '用户名或密码不正确。') },
  },
  password_not_set: {
    error: 'password_not_set',
    status: 400,
    code: 9,
    error_code: 40021,
    oauth: oauth('invalid_grant', 400),
    sentence: say('This user has set no password.', '该用户未设置密码。'),
    reasons: { PASSWORD_NOT_SET: say('This user has set no password.', '该用户未设置密码。') },
  },
  invalid_verification_code: {
    error: 'invalid_verification_code',
    status: 400,
    code: 3,
    error_code: 40022,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The verification code is wrong or has expired.', '验证码不正确或已过期。'),
    reasons: {
      VERIFICATION_CODE_INVALID: say(
        'The verification code is wrong, used or expired.',
        '验证码不正确、已使用或已过期。',
      ),
      VERIFICATION_TOKEN_INVALID: say(
        'The verification token is wrong, used, expired or for something else.',
        '验证凭证不正确、已使用、已过期或不适用于此操作。',
      ),
      SUDO_TOKEN_INVALID: say(
        'The sudo token is wrong or has expired. Prove once more that it is you.',
        'sudo_token 不正确或已过期，请重新验证身份。',
      ),
    },
  },
  captcha_required: {
    error: 'captcha_required',
    status: 400,
    code: 9,
    error_code: 40023,
    oauth: oauth('access_denied', 400),
    sentence: say('Solve a captcha first.', '请先完成人机验证。'),
    reasons: { CAPTCHA_REQUIRED: say('Solve a captcha first.', '请先完成人机验证。') },
  },
  captcha_invalid: {
    error: 'captcha_invalid',
    status: 400,
    code: 3,
    error_code: 40024,
    oauth: oauth('access_denied', 400),
    sentence: say('The captcha was solved wrongly or too long ago.', '人机验证不正确或已过期。'),
    reasons: { CAPTCHA_INVALID: say('The captcha was solved wrongly or too long ago.', '人机验证不正确或已过期。') },
  },
  unauthorized_client: {
    error: 'unauthorized_client',
    status: 401,
    code: 16,
    error_code: 40101,
    oauth: oauth('invalid_client', 401),
    sentence: say('The client secret is wrong.', '客户端秘钥不正确。'),
    reasons: {
      CLIENT_SECRET_WRONG: say('The client secret is wrong.', '客户端秘钥不正确。'),
      CLIENT_SECRET_MISSING: say('This client must authenticate with its secret.', '该客户端必须提供秘钥。'),
      CLIENT_AUTHENTICATION_METHOD_WRONG: say(
        'The client must authenticate in the way it is registered for.',
        '客户端必须使用其登记的认证方式。',
      ),
      CLIENT_ASSERTION_TYPE_UNSUPPORTED: say(
        'This client_assertion_type is not supported.',
        '不支持该 client_assertion_type。',
      ),
      CLIENT_ASSERTION_INVALID: say('The client assertion is wrong.', '客户端断言（client_assertion）不正确。'),
      CLIENT_ASSERTION_KEY_UNKNOWN: say(
        'The client has no key that this client assertion could be signed with.',
        '客户端没有与该断言匹配的密钥。',
      ),
      CLIENT_ASSERTION_EXPIRED: say('The client assertion has expired.', '客户端断言已过期。'),
      CLIENT_ASSERTION_AUDIENCE_WRONG: say(
        'The client assertion is for another audience; name the issuer.',
        '客户端断言的 aud 不正确，应为本服务的 issuer。',
      ),
      CLIENT_ASSERTION_REUSED: say(
        'The client assertion was used before; sign a new one for each request.',
        '客户端断言已被使用过，每次请求须重新签名。',
      ),
    },
  },
  invalid_client: {
    error: 'invalid_client',
    status: 401,
    code: 16,
    error_code: 40102,
    oauth: oauth('invalid_client', 401),
    sentence: say('The client does not exist.', '客户端不存在。'),
    reasons: {
      CLIENT_UNKNOWN: say('The client does not exist.', '客户端不存在。'),
      CLIENT_DISABLED: say('The client is disabled.', '客户端已被停用。'),
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
      GRANT_TYPE_NOT_ALLOWED: say('The client may not use this grant_type.', '客户端无权使用该 grant_type。'),
      CLIENT_PUBLIC: say('Only a confidential client may do this.', '仅机密客户端可以执行此操作。'),
      SCOPE_INSUFFICIENT: say(
        'The access token has not the scope that this needs.',
        'access token 的 scope 不足。',
        oauth('insufficient_scope', 403), // RFC 6750 §3.1
      ),
      FORM_NOT_OURS: say(
        'This form was not sent from this page, or the page is too old. Go back, reload it and try again.',
        '该表单并非由本页面提交，或页面已失效，请返回并刷新后重试。',
        oauth('access_denied', 403),
      ),
      USER_DISABLED: say('The user is disabled.', '用户已被停用。', oauth('invalid_grant', 400)),
      CLIENT_NOT_FIRST_PARTY: say(
        'Only a client that may sign users in by itself may do this.',
        '仅可自行登录用户的第一方客户端可以执行此操作。',
        oauth('insufficient_scope', 403),
      ),
      USER_ANONYMOUS: say(
        'An anonymous user cannot do this.',
        '匿名用户不能执行此操作。',
        oauth('insufficient_scope', 403),
      ),
      USERS_ELSEWHERE: say(
        'Users are kept elsewhere and cannot be changed here.',
        '用户数据由其他系统管理，无法在此修改。',
      ),
      VERIFICATION_CHANNEL_OFF: say('Codes cannot be sent this way.', '暂不支持通过该方式发送验证码。'),
    },
  },
  user_pending: {
    error: 'user_pending',
    status: 403,
    code: 7,
    error_code: 40320,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The user waits for approval.', '用户正在等待审核。'),
    reasons: { USER_PENDING: say('The user waits for approval.', '用户正在等待审核。') },
  },
  user_blocked: {
    error: 'user_blocked',
    status: 403,
    code: 7,
    error_code: 40321,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The user is blocked.', '用户已被封禁。'),
    reasons: { USER_DISABLED: say('The user is blocked.', '用户已被封禁。') },
  },
  not_found: {
    error: 'not_found',
    status: 404,
    code: 5,
    error_code: 40401,
    oauth: oauth('not_found', 404),
    sentence: say('There is no such route.', '请求的路径不存在。'),
    reasons: { ROUTE_UNKNOWN: say('There is no such route.', '请求的路径不存在。') },
  },
  user_not_found: {
    error: 'user_not_found',
    status: 404,
    code: 5,
    error_code: 40420,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The user was not found.', '用户不存在。'),
    reasons: { USER_UNKNOWN: say('The user was not found.', '用户不存在。') },
  },
  username_already_exists: {
    error: 'username_already_exists',
    status: 409,
    code: 6,
    error_code: 40920,
    oauth: oauth('invalid_request', 400),
    sentence: say('This username is taken.', '该用户名已被使用。'),
    reasons: { USERNAME_TAKEN: say('This username is taken.', '该用户名已被使用。') },
  },
  already_exists: {
    error: 'already_exists',
    status: 409,
    code: 6,
    error_code: 40921,
    oauth: oauth('invalid_request', 400),
    sentence: say('This belongs to another user.', '已被其他用户使用。'),
    reasons: {
      CONTACT_TAKEN: say('This address or number belongs to another user.', '该邮箱或手机号已被其他用户绑定。'),
    },
  },
  resource_exhausted: {
    error: 'resource_exhausted',
    status: 429,
    code: 8,
    error_code: 42901,
    oauth: oauth('temporarily_unavailable', 429),
    sentence: say('Too many requests; try again later.', '请求超过频次限制，请稍后重试。'),
    reasons: {
      LIMIT_IP: say('Too many requests from this address; try again later.', '该地址请求超过频次限制，请稍后重试。'),
      LIMIT_SESSION: say('Too many refreshes of this session; try again later.', '该会话刷新过于频繁，请稍后重试。'),
      LIMIT_CLIENT: say(
        'Too many requests from this client; try again later.',
        '该客户端请求超过频次限制，请稍后重试。',
      ),
      LIMIT_ACCOUNT: say('Too many attempts for this account; try again later.', '该账号尝试次数过多，请稍后重试。'),
      LIMIT_VERIFICATION: say('A code was sent a moment ago; try again later.', '验证码发送过于频繁，请稍后重试。'),
    },
  },
  invalid_status: {
    error: 'invalid_status',
    status: 429,
    code: 8,
    error_code: 42920,
    oauth: oauth('temporarily_unavailable', 429),
    sentence: say('Too many wrong attempts for this account; try again later.', '该账号尝试次数过多，请稍后重试。'),
    reasons: {
      TOO_MANY_ATTEMPTS: say(
        'Too many wrong attempts for this account; try again later.',
        '该账号尝试次数过多，请稍后重试。',
      ),
    },
  },
  internal: {
    error: 'internal',
    status: 500,
    code: 13,
    error_code: 50001,
    oauth: oauth('server_error', 500),
    sentence: say('System error; try again later.', '系统错误，请稍后重试。'),
    reasons: { INTERNAL: say('System error; try again later.', '系统错误，请稍后重试。') },
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
      CLIENT_KEYS_UNAVAILABLE: say(
        "The client's keys could not be fetched; try again shortly.",
        '暂时无法获取客户端的公钥，请稍后重试。',
      ),
      SIGN_IN_QUEUE_FULL: say('Too many sign-ins at once; try again shortly.', '同时登录人数过多，请稍后重试。'),
    },
  },
} satisfies Record<string, Row>;

/** A row of the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE;

type ReasonsOf<C extends ErrorCode> = keyof (typeof CATALOGUE)[C]['reasons'] & string;

/** A reason listed under a row; a host's own grant may bring its own, in UPPER_SNAKE_CASE. */
export type Reason<C extends ErrorCode> = ReasonsOf<C> | (string & {});

/** The row of a code, with its types widened. */
export function rowOf(code: ErrorCode): Row {
  return CATALOGUE[code];
}
