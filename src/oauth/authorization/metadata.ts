import type { ServerMetadata } from '../../base/metadata/server-metadata.js';
import { LANGUAGES } from '../../base/languages.js';
import { PROMPTS, RESPONSE_MODES } from './pending-authorization.js';

/** What the authorization endpoint and its pages have to say about themselves (RFC 8414 §2, OpenID Connect Discovery §3). */
export function authorizationMetadata(url: (path: string) => string): ServerMetadata {
  return {
    authorization_endpoint: url('/oauth2/authorize'),
    pushed_authorization_request_endpoint: url('/oauth2/par'), // RFC 9126 §5
    end_session_endpoint: url('/oauth2/logout'), // RP-Initiated Logout §2.1
    response_types_supported: ['code'],
    response_modes_supported: [...RESPONSE_MODES],
    prompt_values_supported: [...PROMPTS],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true, // RFC 9207 §3
    request_parameter_supported: false,
    request_uri_parameter_supported: false, // by reference to elsewhere; pushed ones are
    claims_parameter_supported: false,
    ui_locales_supported: [...LANGUAGES],
  };
}
