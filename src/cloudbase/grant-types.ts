/** Grant types beyond the RFCs', each with a short name (RFC 6749 §4.5: an extension's name is a URI). */
export const ANONYMOUS = ['urn:nest-auth:grant-type:anonymous', 'anonymous'];
export const SIGN_UP = ['urn:nest-auth:grant-type:sign_up', 'sign_up'];
export const VERIFICATION = ['urn:nest-auth:grant-type:verification', 'verification'];

/** The whole scope of an anonymous user's tokens; the SDK knows them by it. */
export const ANONYMOUS_SCOPE = 'anonymous';
