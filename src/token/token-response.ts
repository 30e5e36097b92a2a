/** The success body (RFC 6749 §5.1, and what CloudBase's clients read beside it). */
export interface TokenResponse {
  /** DPoP: the access token is bound to the key of the request's proof (RFC 9449 §5). */
  token_type: 'Bearer' | 'DPoP';
  access_token: string;
  refresh_token?: string;
  /** OpenID Connect Core §3.1.3.3, where `openid` was granted. */
  id_token?: string;
  /** Life of the access token, in seconds. */
  expires_in: number;
  /** Space-separated. */
  scope: string;
  sub: string;
  /** Names of the user's groups. */
  groups: string[];
  need_weda_resource: boolean;
}
