import { type ErrorTable, oauth, say } from '../base/errors/error-table.js';

/** What the authorization endpoint and the pages refuse. */
export const OAUTH_ERRORS = {
  invalid_argument: {
    reasons: {
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
    },
  },
  access_denied: {
    reasons: {
      // OpenID Connect Core §3.1.2.6
      LOGIN_REQUIRED: say('The user has to sign in.', '用户需要登录。', oauth('login_required', 400)),
      CONSENT_REQUIRED: say('The user has to consent.', '需要用户授权同意。', oauth('consent_required', 400)),
    },
  },
  permission_denied: {
    reasons: {
      FORM_NOT_OURS: say(
        'This form was not sent from this page, or the page is too old. Go back, reload it and try again.',
        '该表单并非由本页面提交，或页面已失效，请返回并刷新后重试。',
        oauth('access_denied', 403),
      ),
    },
  },
} satisfies ErrorTable;

declare module '../base/errors/error-table.js' {
  interface ErrorTables {
    oauth: typeof OAUTH_ERRORS;
  }
}
