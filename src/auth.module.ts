import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { getOptionsToken, getStorageToken } from '@nestjs/throttler';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { AccountService } from './accounts/account.service.js';
import { SudoTokens } from './accounts/sudo-tokens.js';
import { AuditSink } from './audit.js';
import {
  AUTH_OPTIONS,
  type AuthModuleExtras,
  type AuthOptions,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  resolveOptions,
} from './auth.options.js';
import { AuthorizationAnswers } from './authorization/authorization-answers.js';
import { AuthorizationCodeService } from './authorization/authorization-code.service.js';
import { ClientAssertionService } from './clients/client-assertion.service.js';
import { AuthorizationExceptionFilter } from './authorization/authorization-exception.filter.js';
import { AuthorizationFlow } from './authorization/authorization-flow.service.js';
import { AuthorizationRequestService } from './authorization/authorization-request.service.js';
import { AuthorizationController } from './authorization/authorization.controller.js';
import { ConsentService } from './authorization/consent.service.js';
import { PushedRequestController } from './authorization/pushed-request.controller.js';
import { PushedRequestService } from './authorization/pushed-request.service.js';
import { BrowserSessionService } from './browser/browser-session.service.js';
import { BrowserService } from './browser/browser.service.js';
import { PageGuard } from './browser/page.guard.js';
import { SignInService } from './browser/sign-in.service.js';
import { SignOutRequestService } from './browser/sign-out-request.service.js';
import { SignOutController } from './browser/sign-out.controller.js';
import { TicketService } from './browser/ticket.service.js';
import { ClientAuthenticator } from './clients/client-authenticator.js';
import { ClientKeys } from './clients/client-keys.js';
import { ClientService } from './clients/client.service.js';
import { JwksFetcher } from './clients/jwks-fetcher.js';
import { Clock } from './clock.js';
import { AuthorizeController } from './cloudbase/authorize.controller.js';
import { Callers } from './cloudbase/callers.js';
import { CaptchaController } from './cloudbase/captcha.controller.js';
import { CaptchaGuard } from './cloudbase/captcha.guard.js';
import { Captcha, NoCaptcha } from './cloudbase/captcha.js';
import { PasswordRefusals } from './cloudbase/password-refusals.js';
import { SessionController } from './cloudbase/session.controller.js';
import { SignInController } from './cloudbase/sign-in.controller.js';
import { UserController } from './cloudbase/user.controller.js';
import { VerificationController } from './cloudbase/verification.controller.js';
import { ServiceSecret } from './crypto/service-secret.js';
import { AuthDatabase } from './database/auth-database.js';
import { authEntities } from './database/schema.js';
import { DeviceAuthorizationController } from './device/device-authorization.controller.js';
import { DeviceAuthorizationService } from './device/device-authorization.service.js';
import { DpopProofService } from './dpop/dpop-proof.service.js';
import { DiscoveryController } from './discovery/discovery.controller.js';
import { ServerMetadataService } from './discovery/server-metadata.service.js';
import { DevicePageController } from './device/device-page.controller.js';
import { AuthExceptionFilter, OAuthExceptionFilter } from './errors/auth-exception.filter.js';
import { AnonymousGrant } from './grants/anonymous.grant.js';
import { AuthorizationCodeGrant } from './grants/authorization-code.grant.js';
import { ClientCredentialsGrant } from './grants/client-credentials.grant.js';
import { DeviceCodeGrant } from './grants/device-code.grant.js';
import { PasswordGrant } from './grants/password.grant.js';
import { RefreshTokenGrant } from './grants/refresh-token.grant.js';
import { IntrospectionController } from './introspection/introspection.controller.js';
import { IntrospectionService } from './introspection/introspection.service.js';
import { IdTokenHintService } from './keys/id-token-hint.service.js';
import { SignUpGrant } from './grants/sign-up.grant.js';
import { VerificationGrant } from './grants/verification.grant.js';
import { JwksController } from './keys/jwks.controller.js';
import { KeyService } from './keys/key.service.js';
import { PageExceptionFilter } from './pages/page-exception.filter.js';
import { PageService } from './pages/page.service.js';
import { Pages } from './pages/pages.js';
import { AccessTokenGuard } from './protection/access-token.guard.js';
import { UsedJtiService } from './replay/used-jti.service.js';
import { RevocationController } from './revocation/revocation.controller.js';
import { RevocationService } from './revocation/revocation.service.js';
import { AccessTokenService } from './sessions/access-token.service.js';
import { RefreshTokens } from './sessions/refresh-token.js';
import { SessionService } from './sessions/session.service.js';
import { Sweeper } from './sweeper.js';
import { AuthThrottlerGuard, throttlerOptions } from './throttling/auth-throttler.guard.js';
import { BearerThrottlerGuard } from './throttling/bearer-throttler.guard.js';
import { MemoryThrottlerStorage } from './throttling/memory-throttler.storage.js';
import { SignInThrottlerGuard } from './throttling/sign-in-throttler.guard.js';
import { GrantService } from './token/grant.service.js';
import { OAuthTokenController } from './token/oauth-token.controller.js';
import { OptionalParametersGuard, ParametersGuard } from './token/parameters.guard.js';
import { TokenController } from './token/token.controller.js';
import { TokenIssuer } from './token/token-issuer.js';
import { UserinfoController } from './userinfo/userinfo.controller.js';
import { UserinfoGuard } from './userinfo/userinfo.guard.js';
import { BuiltInUsers } from './users/built-in-users.js';
import { HashingQueue } from './users/hashing-queue.js';
import { PasswordHasher } from './users/password-hasher.js';
import { UserService } from './users/user.service.js';
import { Users } from './users/users.js';
import { VerificationSender } from './verification/verification-sender.js';
import { VerificationService } from './verification/verification.service.js';

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
    UserService,
    { provide: Users, useExisting: UserService },
    BuiltInUsers,
    RefreshTokens,
    SessionService,
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
    UserService,
    SessionService,
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
