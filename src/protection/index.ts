export { AccessTokenGuard } from './access-token.guard.js';
export { accessTokenOf, BearerToken, type GuardedRequest } from './guarded-request.js';
export {
  OptionalToken,
  RequireAuthentication,
  type RequiredGroup,
  RequireGroups,
  RequireLiveSession,
  RequireScopes,
} from './rules.js';
export { Public } from '../base/http/public.js';
export type { RequestHead } from '../base/http/request-head.js';
export { exchangeOf } from '../base/http/exchange-of.js';
export type { HttpExchange } from '../base/http/http-exchange.js';
export { type AccessToken, AccessTokenReader } from '../core/sessions/access-token.js';
export { PresentedTokens, type SentToken } from '../core/sessions/presented-tokens.js';
