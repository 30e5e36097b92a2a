import { type ErrorTable, oauth, say } from '../base/errors/error-table.js';

/** What CloudBase's API refuses, in its words. */
export const CLOUDBASE_ERRORS = {
  invalid_username_or_password: {
    error: 'invalid_username_or_password',
    status: 400,
    code: 3,
    error_code: 40020,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The username or password is wrong.', '用户名或密码不正确。'),
    reasons: {
      WRONG_USERNAME_OR_PASSWORD: say('The username or password is wrong.', '用户名或密码不正确。'),
    },
  },
  password_not_set: {
    error: 'password_not_set',
    status: 400,
    code: 9,
    error_code: 40021,
    oauth: oauth('invalid_grant', 400),
    sentence: say('This user has set no password.', '该用户未设置密码。'),
    reasons: {
      PASSWORD_NOT_SET: say('This user has set no password.', '该用户未设置密码。'),
    },
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
  user_blocked: {
    error: 'user_blocked',
    status: 403,
    code: 7,
    error_code: 40321,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The user is blocked.', '用户已被封禁。'),
    reasons: {
      USER_DISABLED: say('The user is blocked.', '用户已被封禁。'),
    },
  },
  user_not_found: {
    error: 'user_not_found',
    status: 404,
    code: 5,
    error_code: 40420,
    oauth: oauth('invalid_grant', 400),
    sentence: say('The user was not found.', '用户不存在。'),
    reasons: {
      USER_UNKNOWN: say('The user was not found.', '用户不存在。'),
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
  permission_denied: {
    reasons: {
      ACCOUNT_ACCESS_MISSING: say(
        "This token is not good for the user's account itself: sign in at the client, without a narrower scope.",
        '该令牌无权操作用户账号，请在客户端直接登录，且不要缩小 scope。',
        oauth('insufficient_scope', 403),
      ),
      USER_ANONYMOUS: say(
        'An anonymous user cannot do this.',
        '匿名用户不能执行此操作。',
        oauth('insufficient_scope', 403),
      ),
      VERIFICATION_CHANNEL_OFF: say('Codes cannot be sent this way.', '暂不支持通过该方式发送验证码。'),
    },
  },
  resource_exhausted: {
    reasons: {
      LIMIT_NAMES: say('Too many usernames were tried; try again later.', '尝试用户名次数过多，请稍后重试。'),
      LIMIT_SENDS: say('Too many codes were asked for; try again later.', '请求验证码次数过多，请稍后重试。'),
      LIMIT_VERIFICATION: say('A code was sent a moment ago; try again later.', '验证码发送过于频繁，请稍后重试。'),
    },
  },
} satisfies ErrorTable;

declare module '../base/errors/error-table.js' {
  interface ErrorTables {
    cloudbase: typeof CLOUDBASE_ERRORS;
  }
}
