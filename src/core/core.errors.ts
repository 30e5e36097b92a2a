import { type ErrorTable, oauth, say } from '../base/errors/error-table.js';

/** What can go wrong with clients, users, sessions, codes and keys, and where limits end. */
export const CORE_ERRORS = {
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
      SIGNED_OUT: say('The user has signed out. Sign in again.', '用户已退出登录，请重新登录。'),
      DEVICE_SIGNED_OUT: say(
        'The user has signed this device out. Sign in again.',
        '用户已让此设备退出登录，请重新登录。',
      ),
      DEVICE_LIMIT: say(
        'The user has signed in on more devices than are allowed at once. Sign in again.',
        '用户登录的设备数超过上限，请重新登录。',
      ),
      CREDENTIALS_CHANGED: say(
        'What the user signs in by has changed since. Sign in again.',
        '用户的登录凭据已变更，请重新登录。',
      ),
      USER_DISABLED: say('The user has been disabled.', '用户已被禁用。'),
      USER_PENDING: say('The user waits for approval.', '用户正在等待审核。'),
      CLIENT_DISABLED: say('The client was disabled meanwhile. Sign in again.', '客户端曾被禁用，请重新登录。'),
      CLIENT_CHANGED: say('What the client may do has changed. Sign in again.', '客户端的权限已变更，请重新登录。'),
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
      SCOPE_MALFORMED: say('The scope is malformed.', 'scope 格式不正确。'),
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
    reasons: {
      AUTHORIZATION_PENDING: say('The user has not answered yet.', '用户尚未完成授权。'),
    },
  },
  slow_down: {
    error: 'slow_down',
    status: 400,
    code: 8,
    error_code: 40006,
    oauth: oauth('slow_down', 400),
    sentence: say('Polling too fast; wait longer between requests.', '轮询过于频繁，请延长间隔。'),
    reasons: {
      POLLING_TOO_FAST: say('Polling too fast; wait longer between requests.', '轮询过于频繁，请延长间隔。'),
    },
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
    },
  },
  expired_token: {
    error: 'expired_token',
    status: 400,
    code: 9,
    error_code: 40008,
    oauth: oauth('expired_token', 400),
    sentence: say('The device code has expired. Start again.', '设备码已过期，请重新开始。'),
    reasons: {
      DEVICE_CODE_EXPIRED: say('The device code has expired. Start again.', '设备码已过期，请重新开始。'),
    },
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
      TOKEN_NOT_REVOCABLE: say(
        "A client's own access token cannot be revoked; it lives until it expires.",
        '客户端自身的 access token 无法撤销，到期后自动失效。',
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
    reasons: {
      CAPTCHA_REQUIRED: say('Solve a captcha first.', '请先完成人机验证。'),
    },
  },
  captcha_invalid: {
    error: 'captcha_invalid',
    status: 400,
    code: 3,
    error_code: 40024,
    oauth: oauth('access_denied', 400),
    sentence: say('The captcha was solved wrongly or too long ago.', '人机验证不正确或已过期。'),
    reasons: {
      CAPTCHA_INVALID: say('The captcha was solved wrongly or too long ago.', '人机验证不正确或已过期。'),
    },
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
  user_pending: {
    error: 'user_pending',
    status: 403,
    code: 7,
    error_code: 40320,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The user waits for approval.', '用户正在等待审核。'),
    reasons: {
      USER_PENDING: say('The user waits for approval.', '用户正在等待审核。'),
    },
  },
  username_already_exists: {
    error: 'username_already_exists',
    status: 409,
    code: 6,
    error_code: 40920,
    oauth: oauth('invalid_request', 400),
    sentence: say('This username is taken.', '该用户名已被使用。'),
    reasons: {
      USERNAME_TAKEN: say('This username is taken.', '该用户名已被使用。'),
    },
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
  invalid_argument: {
    reasons: {
      CLIENT_ID_MISSING: say('The request names no client.', '请求未指明客户端。', oauth('invalid_client', 401)),
      BASIC_MALFORMED: say('The Authorization header is malformed.', 'Authorization 请求头格式不正确。'),
      CLIENT_AUTHENTICATION_REPEATED: say(
        'Authenticate the client in one way only: the Authorization header or the body.',
        '客户端只能使用一种认证方式：Authorization 请求头或请求体。',
      ),
      CLIENT_ID_MISMATCH: say('The request names more than one client_id.', '请求中的 client_id 不一致。'),
      WRONG_USERNAME_OR_PASSWORD: say(
        'The username or password is wrong.',
        '用户名或密码不正确。',
        oauth('invalid_grant', 400),
      ),
    },
  },
  permission_denied: {
    reasons: {
      GRANT_TYPE_NOT_ALLOWED: say('The client may not use this grant_type.', '客户端无权使用该 grant_type。'),
      CLIENT_PUBLIC: say('Only a confidential client may do this.', '仅机密客户端可以执行此操作。'),
      USER_DISABLED: say('The user is disabled.', '用户已被停用。', oauth('invalid_grant', 400)),
      USERS_ELSEWHERE: say(
        'Users are kept elsewhere and cannot be changed here.',
        '用户数据由其他系统管理，无法在此修改。',
      ),
    },
  },
  not_found: {
    reasons: {
      CLIENT_UNKNOWN: say('There is no such client.', '客户端不存在。'),
      USER_UNKNOWN: say('There is no such user.', '用户不存在。'),
    },
  },
  resource_exhausted: {
    reasons: {
      LIMIT_IP: say('Too many requests from this address; try again later.', '该地址请求超过频次限制，请稍后重试。'),
      LIMIT_SESSION: say('Too many refreshes of this session; try again later.', '该会话刷新过于频繁，请稍后重试。'),
      LIMIT_CLIENT: say(
        'Too many requests from this client; try again later.',
        '该客户端请求超过频次限制，请稍后重试。',
      ),
      LIMIT_ACCOUNT: say('Too many attempts for this account; try again later.', '该账号尝试次数过多，请稍后重试。'),
    },
  },
  unavailable: {
    reasons: {
      CLIENT_KEYS_UNAVAILABLE: say(
        "The client's keys could not be fetched; try again shortly.",
        '暂时无法获取客户端的公钥，请稍后重试。',
      ),
      LIMITS_UNAVAILABLE: say('The limits cannot be checked; try again shortly.', '暂时无法检查频次限制，请稍后重试。'),
      SIGN_IN_QUEUE_FULL: say('Too many sign-ins at once; try again shortly.', '同时登录人数过多，请稍后重试。'),
    },
  },
} satisfies ErrorTable;

declare module '../base/errors/error-table.js' {
  interface ErrorTables {
    core: typeof CORE_ERRORS;
  }
}
