import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { getStorageToken } from '@nestjs/throttler';
import { AuthFeature } from '../base/feature.js';
import { Captcha, NoCaptcha } from './captcha/captcha.js';
import { CaptchaService } from './captcha/captcha.service.js';
import { ClientAssertionService } from './clients/client-assertion.service.js';
import { ClientAuthenticator } from './clients/client-authenticator.js';
import { ClientKeys } from './clients/client-keys.js';
import { ClientSecrets } from './clients/client-secrets.js';
import { ClientSecret } from './clients/client-secret.entity.js';
import { Client } from './clients/client.entity.js';
import { ClientService } from './clients/client.service.js';
import { JwksFetcher } from './clients/jwks-fetcher.js';
import { AuthorizationCode } from './codes/authorization-code.entity.js';
import { AuthorizationCodeService } from './codes/authorization-code.service.js';
import { CORE_ERRORS } from './core.errors.js';
import { DeviceAuthorization } from './devices/device-authorization.entity.js';
import { DeviceAuthorizationService } from './devices/device-authorization.service.js';
import { DpopProofService } from './dpop/dpop-proof.service.js';
import { Holdings } from './holdings/holdings.service.js';
import { KeyRing } from './keys/key-ring.js';
import { KeyService } from './keys/key.service.js';
import { SigningKey } from './keys/signing-key.entity.js';
import { CreateAuthTables1763850000000 } from './migrations/1763850000000-create-auth-tables.js';
import { BindToKeys1763860000000 } from './migrations/1763860000000-bind-to-keys.js';
import { SignInWithABrowser1763870000000 } from './migrations/1763870000000-sign-in-with-a-browser.js';
import { AddUserProfilesAndVerifications1763880000000 } from './migrations/1763880000000-add-user-profiles-and-verifications.js';
import { RememberNetworks1764000007000 } from './migrations/1764000007000-remember-networks.js';
import { ClaimUserCodes1764000004000 } from './migrations/1764000004000-claim-user-codes.js';
import { SpellMailDomainsOneWay1764000006001 } from './migrations/1764000006001-spell-mail-domains-one-way.js';
import { CountVersionsOfCredentials1764000002000 } from './migrations/1764000002000-count-versions-of-credentials.js';
import { FindSessionsByDevice1764000005000 } from './migrations/1764000005000-find-sessions-by-device.js';
import { CountAttempts1764000009000 } from './migrations/1764000009000-count-attempts.js';
import { AddAccountAccess1764000001000 } from './migrations/1764000001000-add-account-access.js';
import { RememberEndings1764000012000 } from './migrations/1764000012000-remember-endings.js';
import { ExchangeSecretsAndKeys1764000011001 } from './migrations/1764000011001-exchange-secrets-and-keys.js';
import { UsedJti } from './replay/used-jti.entity.js';
import { UsedJtiService } from './replay/used-jti.service.js';
import { UsedJtis } from './replay/used-jtis.js';
import { AccessTokenReader } from './sessions/access-token.js';
import { AccessTokenService } from './sessions/access-token.service.js';
import { IntrospectionService } from './sessions/introspection.service.js';
import { Networks } from './sessions/networks.js';
import { Parties } from './sessions/parties.js';
import { PresentedTokens } from './sessions/presented-tokens.js';
import { RefreshTokens } from './sessions/refresh-token.js';
import { RevocationService } from './sessions/revocation.service.js';
import { Session } from './sessions/session.entity.js';
import { SessionStories } from './sessions/session-story.js';
import { SessionService } from './sessions/session.service.js';
import { RefreshService } from './sessions/refresh.service.js';
import { SignOutService } from './sessions/sign-out.service.js';
import { AttemptBudget } from './throttling/attempt-budget.entity.js';
import { AttemptBudgets } from './throttling/attempt-budgets.js';
import { Attempts } from './throttling/attempts.js';
import { Limits } from './throttling/limits.js';
import { MemoryThrottlerStorage } from './throttling/memory-throttler.storage.js';
import { BuiltInUsers } from './users/built-in-users.js';
import { HashingQueue } from './users/hashing-queue.js';
import { PasswordHasher } from './users/password-hasher.js';
import { UserCache } from './users/user-cache.js';
import { UserDirectory } from './users/user-directory.js';
import { UserRow } from './users/user.entity.js';
import { UserService } from './users/user.service.js';
import { Users } from './users/users.js';

/** What the wings above work with. */
const GIVEN = [
  AccessTokenService,
  Attempts,
  AuthorizationCodeService,
  BuiltInUsers,
  CaptchaService,
  ClientAuthenticator,
  ClientService,
  DeviceAuthorizationService,
  DpopProofService,
  Holdings,
  IntrospectionService,
  KeyService,
  Limits,
  Parties,
  PresentedTokens,
  RefreshService,
  RefreshTokens,
  RevocationService,
  SessionService,
  SessionStories,
  SignOutService,
  UserDirectory,
  UserService,
];

/** Clients, users, sessions, codes, keys and limits: what every token stands on. */
@AuthFeature({
  entities: [
    Client,
    ClientSecret,
    UserRow,
    Session,
    AuthorizationCode,
    DeviceAuthorization,
    SigningKey,
    UsedJti,
    AttemptBudget,
  ],
  migrations: [
    CreateAuthTables1763850000000,
    BindToKeys1763860000000,
    SignInWithABrowser1763870000000,
    AddUserProfilesAndVerifications1763880000000,
    AddAccountAccess1764000001000,
    CountVersionsOfCredentials1764000002000,
    ClaimUserCodes1764000004000,
    FindSessionsByDevice1764000005000,
    SpellMailDomainsOneWay1764000006001,
    RememberNetworks1764000007000,
    CountAttempts1764000009000,
    ExchangeSecretsAndKeys1764000011001,
    RememberEndings1764000012000,
  ],
  errors: CORE_ERRORS,
  commands: [
    () => import('./users/users.commands.js'),
    () => import('./sessions/sessions.commands.js'),
    () => import('./keys/keys.commands.js'),
  ],
})
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: getStorageToken(), useClass: MemoryThrottlerStorage },
    JwksFetcher,
    ClientKeys,
    ClientSecrets,
    PasswordHasher,
    HashingQueue,
    AttemptBudgets,
    ClientAssertionService,
    UsedJtiService,
    { provide: UsedJtis, useExisting: UsedJtiService },
    { provide: AccessTokenReader, useExisting: AccessTokenService },
    KeyRing,
    Networks,
    UserCache,
    { provide: Captcha, useClass: NoCaptcha },
    { provide: Users, useExisting: UserDirectory },
    ...GIVEN,
  ],
  exports: [Captcha, Users, ...GIVEN],
})
export class CoreModule {}
