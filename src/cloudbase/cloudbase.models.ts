import { flag, listOf, type Model, oneOf, type Schema, seconds, text } from '../base/openapi/schema.js';

const NAMED: Schema = { type: 'object', properties: { id: text(), name: text() }, required: ['id', 'name'] };

/** What a user reads of their own account; of what they consented to, only the claims (userInfo, consentedInfo). */
export const USER_INFO: Model = {
  name: 'AuthUserInfo',
  properties: {
    sub: text(),
    user_id: text(),
    'status?': oneOf('ACTIVE', 'BLOCKED', 'PENDING'),
    'groups?': listOf({ type: 'object', properties: { id: text() }, required: ['id'] }),
    'has_password?': flag,
    'is_anonymous?': flag,
  },
};

export const VERIFICATION_STARTED: Model = {
  name: 'AuthVerification',
  properties: { verification_id: text(), expires_in: seconds(), is_user: flag },
};
export const VERIFIED: Model = {
  name: 'AuthVerified',
  properties: { verification_token: text(), expires_in: seconds() },
};
export const SUDO: Model = { name: 'AuthSudo', properties: { sudo_token: text() } };
export const USER_EXISTS: Model = { name: 'AuthUserExists', properties: { exist: flag } };
export const CODE: Model = { name: 'AuthCode', properties: { code: text(), 'state?': text() } };
export const CAPTCHA: Model = {
  name: 'AuthCaptcha',
  properties: {
    type: oneOf('image'),
    token: text(),
    data: text('an image as a data: URL, or the address of a page'),
    expires_in: seconds(),
  },
};
export const CAPTCHA_SOLVED: Model = {
  name: 'AuthCaptchaSolved',
  properties: { captcha_token: text(), expires_in: seconds() },
};
export const AUTHORIZATION_INFO: Model = {
  name: 'AuthAuthorizationInfo',
  properties: {
    client: NAMED,
    scopes: listOf(NAMED),
  },
};
/** The claims of an access token, as they are; or no more than that it is dead. */
export const ACCESS_TOKEN_INTROSPECTION: Model = {
  name: 'AuthAccessTokenIntrospection',
  properties: { active: flag },
};
