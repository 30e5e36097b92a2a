export { AuthModule } from './auth.module.js';
export { AUTH_OPTIONS } from './auth.options.js';
export type { AuthModuleExtras, AuthOptions, Limit, ResolvedAuthOptions, SigningAlg } from './auth.options.js';
export { AuditSink, type AuditEvent } from './audit.js';
export { Clock } from './clock.js';

// Errors
export { AuthError, badField, type AuthErrorOptions, type FieldViolation } from './errors/auth.error.js';
export { AuthExceptionFilter } from './errors/auth-exception.filter.js';
export type { ErrorCode, Reason } from './errors/catalogue.js';

// Grants of your own
export { GrantHandler, type Grant } from './token/grant.js';
export { GrantService } from './token/grant.service.js';
export { TokenIssuer } from './token/token-issuer.js';
export type { TokenResponse } from './token/token-response.js';
export { grantScope, parseScope, SCOPE } from './clients/scope.js';

// Protecting routes of your own
export { AccessTokenGuard, BearerToken, RequireLiveSession, RequireScopes } from './protection/access-token.guard.js';
export { AccessTokenService, type AccessToken } from './sessions/access-token.service.js';

// Saying more in the discovery document
export { PublishesMetadata, type MetadataPublisher, type ServerMetadata } from './discovery/server-metadata.js';

// What they work with
export { AuthorizationCodeService, type AuthorizationRequest } from './authorization/authorization-code.service.js';
export { Client, type ClientAuthMethod } from './clients/client.entity.js';
export { ConsentService } from './authorization/consent.service.js';
export { BrowserSessionService } from './browser/browser-session.service.js';
export { ClientService, type NewClient, type RegisteredClient } from './clients/client.service.js';
export { DeviceAuthorizationService, type DeviceAuthorizationResponse } from './device/device-authorization.service.js';
export { JwksFetcher } from './clients/jwks-fetcher.js';
export { IntrospectionService, type Introspection } from './introspection/introspection.service.js';
export { KeyService } from './keys/key.service.js';
export { RevocationService } from './revocation/revocation.service.js';
export type { Session } from './sessions/session.entity.js';
export { SessionService, type Lease, type NewSession, type Party } from './sessions/session.service.js';
export { Pages, type Page } from './pages/pages.js';
export type { Language } from './pages/language.js';
export type { PageName, Views } from './pages/views.js';
export { Captcha, type CaptchaChallenge, type CaptchaSubject } from './cloudbase/captcha.js';
export { VerificationSender, type VerificationMessage } from './verification/verification-sender.js';
export { Sweeper } from './sweeper.js';
export { MemoryThrottlerStorage } from './throttling/memory-throttler.storage.js';
export { PasswordHasher } from './users/password-hasher.js';
export type { StandardClaims } from './users/claims.js';
export { normalizeUsername } from './users/username.js';
export { UserService, type NewUser } from './users/user.service.js';
export type { Contact } from './users/contact.js';
export { Users, type User, type UserProfile } from './users/users.js';

// For the host's data source
export { authEntities, authMigrations } from './database/schema.js';
