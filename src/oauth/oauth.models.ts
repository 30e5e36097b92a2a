import { flag, type Model, seconds, strings, text } from '../base/openapi/schema.js';

/** RFC 8414 §2, OpenID Connect Discovery §3. */
export const SERVER_METADATA: Model = { name: 'AuthServerMetadata', properties: { issuer: text() } };

/** RFC 7662 §2.2. */
export const INTROSPECTION: Model = {
  name: 'AuthIntrospection',
  properties: { active: flag, 'sub?': text(), 'client_id?': text(), 'scope?': text(), 'exp?': { type: 'integer' } },
};

/** OpenID Connect Core §5.3.2. */
export const USERINFO: Model = { name: 'AuthUserinfo', properties: { sub: text() } };

/** RFC 9126 §2.2. */
export const PUSHED_REQUEST: Model = {
  name: 'AuthPushedRequest',
  properties: { request_uri: text(), expires_in: seconds() },
};

/** RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9126 §4, RFC 9449 §10, OpenID Connect Core §3.1.2.1. */
export const AUTHORIZATION_REQUEST = strings(
  ...['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'request_uri', 'response_mode'],
  ...['code_challenge', 'code_challenge_method', 'dpop_jkt'],
  ...['nonce', 'prompt', 'max_age', 'login_hint', 'id_token_hint', 'ui_locales'],
);

/** OpenID Connect RP-Initiated Logout §2. */
export const SIGN_OUT_REQUEST = strings(
  ...['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'ui_locales'],
);
