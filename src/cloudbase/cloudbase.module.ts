import { Module } from '@nestjs/common';
import { AuthFeature } from '../base/feature.js';
import { AccountService } from './accounts/account.service.js';
import { SudoTokens } from './accounts/sudo-tokens.js';
import { AuthorizeController } from './authorize.controller.js';
import { Callers } from './callers.js';
import { CaptchaController } from './captcha/captcha.controller.js';
import { CLOUDBASE_ERRORS } from './cloudbase.errors.js';
import { AnonymousGrant } from './grants/anonymous.grant.js';
import { SignUpGrant } from './grants/sign-up.grant.js';
import { VerificationGrant } from './grants/verification.grant.js';
import { CreateVerifications1763880000001 } from './migrations/1763880000001-create-verifications.js';
import { BindVerifications1764000006000 } from './migrations/1764000006000-bind-verifications.js';
import { PasswordRefusals } from './password-refusals.js';
import { SessionController } from './session.controller.js';
import { SignInController } from './sign-in.controller.js';
import { UserController } from './user.controller.js';
import { Inbox } from './verification/inbox.js';
import { VerificationAllowance } from './verification/verification-allowance.entity.js';
import { VerificationAllowances } from './verification/verification-allowances.js';
import { VerificationController } from './verification/verification.controller.js';
import { VerificationSender } from './verification/verification-sender.js';
import { Verification } from './verification/verification.entity.js';
import { VerificationService } from './verification/verification.service.js';

/** CloudBase's API around the token endpoint, and the grants that only its clients use. */
@AuthFeature({
  underRoutePrefix: true,
  entities: [Verification, VerificationAllowance],
  migrations: [CreateVerifications1763880000001, BindVerifications1764000006000],
  errors: CLOUDBASE_ERRORS,
  inTests: [{ provide: VerificationSender, useClass: Inbox }],
})
@Module({
  controllers: [
    SignInController,
    SessionController,
    UserController,
    AuthorizeController,
    VerificationController,
    CaptchaController,
  ],
  providers: [
    AccountService,
    AnonymousGrant,
    Callers,
    PasswordRefusals,
    SignUpGrant,
    SudoTokens,
    VerificationAllowances,
    VerificationGrant,
    VerificationSender,
    VerificationService,
  ],
})
export class CloudbaseModule {}
