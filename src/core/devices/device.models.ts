import { type Model, seconds, text } from '../../base/openapi/schema.js';

/** RFC 8628 §3.2. */
export const DEVICE_AUTHORIZATION: Model = {
  name: 'AuthDeviceAuthorization',
  properties: {
    device_code: text(),
    user_code: text(),
    verification_uri: text(),
    verification_uri_complete: text(),
    expires_in: seconds(),
    interval: seconds('between two polls'),
  },
};
