import { type Presence, Text } from '../base/http/rules.js';

/** Comes back in the id_token (OpenID Connect Core §3.1.2.1). */
export const Nonce = () => Text({ max: 512 });

/** A secret that is exchanged for tokens: an authorization code, a device code, a refresh token. */
export const Code = () => Text({ max: 512, required: true });

/** A token of either kind. */
export const Token = (presence?: Presence) => Text({ max: 8192, ...presence });

export const RedirectUri = (presence?: Presence) => Text({ max: 2048, ...presence });
