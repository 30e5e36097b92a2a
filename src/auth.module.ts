import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { getOptionsToken, getStorageToken } from '@nestjs/throttler';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { AccountService } from './cloudbase/accounts/account.service.js';
import { SudoTokens } from './cloudbase/accounts/sudo-tokens.js';
import { AuditSink } from './base/audit.js';
import {
  AUTH_OPTIONS,
  type AuthModuleExtras,
  type AuthOptions,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  resolveOptions,
} from './base/auth.options.js';
import { AuthorizationAnswers } from './oauth/authorization/authorization-answers.js';
import { AuthorizationCodeService } from './core/codes/authorization-code.service.js';
import { ClientAssertionService } from './core/clients/client-assertion.service.js';
import { AuthorizationExceptionFilter } from './oauth/authorization/authorization-exception.filter.js';
import { AuthorizationFlow } from './oauth/authorization/authorization-flow.service.js';
import { AuthorizationRequestService } from './oauth/authorization/authorization-request.service.js';
import { AuthorizationController } from './oauth/authorization/authorization.controller.js';
import { ConsentService } from './oauth/authorization/consent.service.js';
import { PushedRequestController } from './oauth/authorization/pushed-request.controller.js';
import { PushedRequestService } from './oauth/authorization/pushed-request.service.js';
import { BrowserSessionService } from './oauth/browser/browser-session.service.js';
import { BrowserService } from './oauth/browser/browser.service.js';
import { PageGuard } from './oauth/browser/page.guard.js';
import { SignInService } from './oauth/browser/sign-in.service.js';
import { SignOutRequestService } from './oauth/browser/sign-out-request.service.js';
import { SignOutController } from './oauth/browser/sign-out.controller.js';
import { TicketService } from './oauth/browser/ticket.service.js';
import { ClientAuthenticator } from './core/clients/client-authenticator.js';
import { ClientKeys } from './core/clients/client-keys.js';
import { ClientService } from './core/clients/client.service.js';
import { JwksFetcher } from './core/clients/jwks-fetcher.js';
import { Clock } from './base/clock.js';
import { AuthorizeController } from './cloudbase/authorize.controller.js';
import { Callers } from './cloudbase/callers.js';
import { CaptchaController } from './cloudbase/captcha/captcha.controller.js';
import { CaptchaGuard } from './cloudbase/captcha/captcha.guard.js';
import { Captcha, NoCaptcha } from './cloudbase/captcha/captcha.js';
import { PasswordRefusals } from './cloudbase/password-refusals.js';
import { SessionController } from './cloudbase/session.controller.js';
import { SignInController } from './cloudbase/sign-in.controller.js';
import { UserController } from './cloudbase/user.controller.js';
import { VerificationController } from './cloudbase/verification.controller.js';
import { ServiceSecret } from './base/crypto/service-secret.js';
import { AuthDatabase } from './base/database/auth-database.js';
import { authEntities } from './schema.js';
import { DeviceAuthorizationController } from './oauth/device/device-authorization.controller.js';
import { DeviceAuthorizationService } from './core/devices/device-authorization.service.js';
import { DpopProofService } from './core/dpop/dpop-proof.service.js';
import { DiscoveryController } from './oauth/discovery/discovery.controller.js';
import { ServerMetadataService } from './oauth/discovery/server-metadata.service.js';
import { DevicePageController } from './oauth/device/device-page.controller.js';
import { AuthExceptionFilter, OAuthExceptionFilter } from './base/errors/auth-exception.filter.js';
import { AnonymousGrant } from './cloudbase/grants/anonymous.grant.js';
import { AuthorizationCodeGrant } from './token/grants/authorization-code.grant.js';
import { ClientCredentialsGrant } from './token/grants/client-credentials.grant.js';
import { DeviceCodeGrant } from './token/grants/device-code.grant.js';
import { PasswordGrant } from './token/grants/password.grant.js';
import { RefreshTokenGrant } from './token/grants/refresh-token.grant.js';
import { IntrospectionController } from './oauth/introspection/introspection.controller.js';
import { IntrospectionService } from './core/sessions/introspection.service.js';
import { IdTokenHintService } from './oauth/authorization/id-token-hint.service.js';
import { SignUpGrant } from './cloudbase/grants/sign-up.grant.js';
import { VerificationGrant } from './cloudbase/grants/verification.grant.js';
import { JwksController } from './token/jwks.controller.js';
import { KeyService } from './core/keys/key.service.js';
import { PageExceptionFilter } from './oauth/pages/page-exception.filter.js';
import { PageService } from './oauth/pages/page.service.js';
import { Pages } from './oauth/pages/pages.js';
import { AccessTokenGuard } from './protection/access-token.guard.js';
import { UsedJtiService } from './core/replay/used-jti.service.js';
import { RevocationController } from './oauth/revocation/revocation.controller.js';
import { RevocationService } from './core/sessions/revocation.service.js';
import { AccessTokenService } from './core/sessions/access-token.service.js';
import { RefreshTokens } from './core/sessions/refresh-token.js';
import { RefreshService } from './core/sessions/refresh.service.js';
import { SessionService } from './core/sessions/session.service.js';
import { Sweeper } from './base/database/sweeper.js';
import { AuthThrottlerGuard, throttlerOptions } from './core/throttling/auth-throttler.guard.js';
import { BearerThrottlerGuard } from './cloudbase/bearer-throttler.guard.js';
import { MemoryThrottlerStorage } from './core/throttling/memory-throttler.storage.js';
import { SignInThrottlerGuard } from './cloudbase/sign-in-throttler.guard.js';
import { GrantService } from './token/grant.service.js';
import { OAuthTokenController } from './oauth/token/oauth-token.controller.js';
import { OptionalParametersGuard, ParametersGuard } from './base/http/parameters.guard.js';
import { TokenController } from './token/token.controller.js';
import { TokenIssuer } from './token/token-issuer.js';
import { UserinfoController } from './oauth/userinfo/userinfo.controller.js';
import { UserinfoGuard } from './oauth/userinfo/userinfo.guard.js';
import { BuiltInUsers } from './core/users/built-in-users.js';
import { HashingQueue } from './core/users/hashing-queue.js';
import { PasswordHasher } from './core/users/password-hasher.js';
import { UserCache } from './core/users/user-cache.js';
import { UserDirectory } from './core/users/user-directory.js';
import { UserService } from './core/users/user.service.js';
import { Users } from './core/users/users.js';
import { VerificationSender } from './cloudbase/verification/verification-sender.js';
import { VerificationService } from './cloudbase/verification/verification.service.js';

/** Everything below is private to the module: no global filter, guard, pipe, interceptor or provider. */
@Module({
  imports: [DiscoveryModule],
  controllers: [
    TokenController,
    OAuthTokenController,
    JwksController,
    DiscoveryController,
    DeviceAuthorizationController,
    RevocationController,
    IntrospectionController,
    UserinfoController,
    AuthorizationController,
    PushedRequestController,
    DevicePageController,
    SignOutController,
    SignInController,
    SessionController,
    UserController,
    AuthorizeController,
    VerificationController,
    CaptchaController,
  ],
  providers: [
    { provide: AUTH_OPTIONS, useFactory: resolveOptions, inject: [MODULE_OPTIONS_TOKEN] },
    Clock,
    AuditSink,
    ServiceSecret,
    ClientService,
    JwksFetcher,
    ClientKeys,
    ClientAssertionService,
    ClientAuthenticator,
    UsedJtiService,
    DpopProofService,
    PasswordHasher,
    HashingQueue,
    UserCache,
    UserService,
    UserDirectory,
    { provide: Users, useExisting: UserDirectory },
    BuiltInUsers,
    RefreshTokens,
    SessionService,
    RefreshService,
    KeyService,
    AccessTokenService,
    AccessTokenGuard,
    AuthorizationCodeService,
    AuthorizationRequestService,
    AuthorizationFlow,
    AuthorizationAnswers,
    PushedRequestService,
    ConsentService,
    IdTokenHintService,
    BrowserSessionService,
    BrowserService,
    TicketService,
    SignInService,
    SignOutRequestService,
    Pages,
    PageService,
    DeviceAuthorizationService,
    RevocationService,
    IntrospectionService,
    UserinfoGuard,
    ServerMetadataService,
    VerificationSender,
    VerificationService,
    SudoTokens,
    AccountService,
    TokenIssuer,
    GrantService,
    PasswordGrant,
    RefreshTokenGrant,
    AuthorizationCodeGrant,
    DeviceCodeGrant,
    ClientCredentialsGrant,
    AnonymousGrant,
    VerificationGrant,
    SignUpGrant,
    Callers,
    PasswordRefusals,
    { provide: Captcha, useClass: NoCaptcha },
    CaptchaGuard,
    ParametersGuard,
    OptionalParametersGuard,
    AuthThrottlerGuard,
    PageGuard,
    SignInThrottlerGuard,
    BearerThrottlerGuard,
    { provide: getOptionsToken(), useFactory: throttlerOptions, inject: [AUTH_OPTIONS] },
    { provide: getStorageToken(), useClass: MemoryThrottlerStorage },
    AuthExceptionFilter,
    OAuthExceptionFilter,
    PageExceptionFilter,
    AuthorizationExceptionFilter,
    Sweeper,
  ],
  exports: [
    AUTH_OPTIONS,
    Clock,
    ClientService,
    Users,
    UserDirectory,
    UserService,
    SessionService,
    RefreshService,
    AccessTokenService,
    AccessTokenGuard,
    DpopProofService,
    KeyService,
    AuthorizationCodeService,
    ConsentService,
    BrowserSessionService,
    DeviceAuthorizationService,
    RevocationService,
    IntrospectionService,
    TokenIssuer,
    GrantService,
    Sweeper,
  ],
})
export class AuthModule extends ConfigurableModuleClass {
  /** @param options how tokens are made, and (AuthModuleExtras) how the module fits into the host */
  static override forRoot(options: AuthOptions & AuthModuleExtras): DynamicModule {
    return withExtras(super.forRoot(options), options);
  }

  static override forRootAsync(
    options: Parameters<typeof ConfigurableModuleClass.forRootAsync>[0] & AuthModuleExtras,
  ): DynamicModule {
    return withExtras(super.forRootAsync(options), options);
  }
}

function withExtras(
  module: DynamicModule,
  { dataSource, imports = [], providers = [] }: AuthModuleExtras,
): DynamicModule {
  return {
    ...module,
    imports: [...(module.imports ?? []), TypeOrmModule.forFeature(authEntities, dataSource), ...imports],
    providers: [
      ...(module.providers ?? []),
      {
        provide: AuthDatabase,
        useFactory: (host: DataSource) => AuthDatabase.open(host, authEntities),
        inject: [getDataSourceToken(dataSource)],
      },
      ...providers,
    ],
  };
}
