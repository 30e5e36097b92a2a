export { AuthModule } from './auth.module.js';
export type { AuthModuleExtras } from './host-providers.js';
export { AUTH_OPTIONS } from './base/auth.options.js';
export type { AuthOptions, Limit, ResolvedAuthOptions, SigningAlg } from './base/auth.options.js';
export { AuditSink, type AuditEvent } from './base/audit.js';
export { Clock } from './base/clock.js';
export type { SecretNeed } from './base/crypto/secret-need.js';
export { type SecretStatus, SecretUses } from './base/crypto/secret-uses.js';

// Bringing more than controllers and providers: errors, pages, rows that expire
export { AuthFeature, type AuthFeatureMetadata } from './base/feature.js';
export type { ErrorRow, ErrorTable } from './base/errors/error-table.js';
export type { PageSource } from './base/pages/page-source.js';
export { Sweeps, type Sweepable } from './base/database/sweeper.js';
export { type Ended, type Holder, Holdings, Holds } from './core/holdings/holdings.service.js';
export { KeepsSignedIn, type SignInKeeper } from './core/holdings/keeps-signed-in.js';
export { SignOutService } from './core/sessions/sign-out.service.js';

// Errors; the tables for the types of AuthError alone, those of optional wings in their own index
import './base/errors/base.errors.js';
import './core/core.errors.js';
import './token/token.errors.js';
export { AuthError, badField, type AuthErrorOptions, type FieldViolation } from './base/errors/auth.error.js';
export { AuthExceptionFilter } from './base/errors/auth-exception.filter.js';
export type { ErrorCode, ErrorTables, Reason } from './base/errors/error-table.js';

// Grants of your own
export { Text, type Format, type TextRules } from './base/http/rules.js';
export { Nonce } from './token/rules.js';
export { OwnClaims, type ClaimPlace, type ClaimsContext, type OwnClaim } from './token/claims/own-claims.js';
export { GrantHandler, type Grant } from './token/grant.js';
export { GrantService } from './token/grant.service.js';
export { TokenIssuer } from './token/token-issuer.js';
export type { TokenResponse } from './token/token-response.js';
export { grantScope, parseScope, Scope, SCOPE } from './core/clients/scope.js';

// Protecting routes of your own
export * from './protection/index.js';
export { AccessTokenService } from './core/sessions/access-token.service.js';

// Saying more in the discovery document
export { PublishesMetadata, type MetadataPublisher, type ServerMetadata } from './base/metadata/server-metadata.js';

// What they work with
export { AuthorizationCodeService, type AuthorizationRequest } from './core/codes/authorization-code.service.js';
export { Client, type ClientAuthMethod } from './core/clients/client.entity.js';
export type { ClientChanges, ClientValues } from './core/clients/client-changes.js';
export {
  type ChangedClient,
  ClientService,
  type NewClient,
  type RegisteredClient,
} from './core/clients/client.service.js';
export {
  DeviceAuthorizationService,
  type DeviceAuthorizationResponse,
} from './core/devices/device-authorization.service.js';
export { Captcha, type CaptchaAction, type CaptchaChallenge, type CaptchaSubject } from './core/captcha/captcha.js';
export { JwksFetcher } from './core/clients/jwks-fetcher.js';
export { IntrospectionService, type Introspection } from './core/sessions/introspection.service.js';
export { KeyService } from './core/keys/key.service.js';
export { RevocationService } from './core/sessions/revocation.service.js';
export { type EndActor, type Ending, type EndReason } from './core/sessions/ending.js';
export { SessionStories, type SessionStory } from './core/sessions/session-story.js';
export type { Session } from './core/sessions/session.entity.js';
export { RefreshService } from './core/sessions/refresh.service.js';
export { SessionService } from './core/sessions/session.service.js';
export type { Whose } from './core/sessions/whose.js';
export type { Lease, NewSession, Party } from './core/sessions/lease.js';
export type { Language } from './base/languages.js';
export { Sweeper } from './base/database/sweeper.js';
export type { LimitStorage } from './core/throttling/limits.js';
export { MemoryThrottlerStorage } from './core/throttling/memory-throttler.storage.js';
export { RedisThrottlerStorage } from './core/throttling/redis-throttler.storage.js';
export { normalizePassword } from './core/users/password.js';
export { PasswordHasher } from './core/users/password-hasher.js';
export type { StandardClaims } from './core/users/claims.js';
export { normalizeUsername } from './core/users/username.js';
export { UserDirectory } from './core/users/user-directory.js';
export type { UserChanges } from './core/users/user-changes.js';
export { UserService, type NewUser } from './core/users/user.service.js';
export type { Contact } from './core/users/contact.js';
export { Users, type User, type UserProfile } from './core/users/users.js';

// For the host's data source
export { authEntities, authMigrations, authSchema, type OptionalWing } from './wings.js';

// What can be left out
export * from './cloudbase/index.js';
export * from './oauth/index.js';
