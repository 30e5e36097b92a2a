import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AuthFeature } from '../base/feature.js';
import { AuthorizationAnswers } from './authorization/authorization-answers.js';
import { AuthorizationExceptionFilter } from './authorization/authorization-exception.filter.js';
import { AuthorizationFlow } from './authorization/authorization-flow.service.js';
import { AuthorizationRequestService } from './authorization/authorization-request.service.js';
import { AuthorizationController } from './authorization/authorization.controller.js';
import { Consent } from './authorization/consent.entity.js';
import { ConsentService } from './authorization/consent.service.js';
import { IdTokenHintService } from './authorization/id-token-hint.service.js';
import { PushedRequestController } from './authorization/pushed-request.controller.js';
import { PushedRequest } from './authorization/pushed-request.entity.js';
import { PushedRequestService } from './authorization/pushed-request.service.js';
import { BrowserSession } from './browser/browser-session.entity.js';
import { BrowserSessionService } from './browser/browser-session.service.js';
import { BrowserService } from './browser/browser.service.js';
import { ParkedTicket } from './browser/parked-ticket.entity.js';
import { SignInService } from './browser/sign-in.service.js';
import { SignOutRequestService } from './browser/sign-out-request.service.js';
import { SignOutController } from './browser/sign-out.controller.js';
import { TicketService } from './browser/ticket.service.js';
import { DeviceAuthorizationController } from './device/device-authorization.controller.js';
import { DevicePageController } from './device/device-page.controller.js';
import { DiscoveryController } from './discovery/discovery.controller.js';
import { ServerMetadataService } from './discovery/server-metadata.service.js';
import { IntrospectionController } from './introspection/introspection.controller.js';
import { CreateBrowserTables1763870000001 } from './migrations/1763870000001-create-browser-tables.js';
import { CountVersionsInBrowsers1764000002500 } from './migrations/1764000002500-count-versions-in-browsers.js';
import { ParkTickets1764000003000 } from './migrations/1764000003000-park-tickets.js';
import { OAUTH_ERRORS } from './oauth.errors.js';
import { PageExceptionFilter } from './pages/page-exception.filter.js';
import { PageService } from './pages/page.service.js';
import { Pages } from './pages/pages.js';
import { PAGES } from './pages/views.js';
import { RevocationController } from './revocation/revocation.controller.js';
import { OAuthTokenController } from './token/oauth-token.controller.js';
import { UserinfoController } from './userinfo/userinfo.controller.js';

/** The standard server around the token endpoint: OAuth 2.0 and OpenID Connect under /oauth2, and its pages. */
@AuthFeature({
  entities: [BrowserSession, Consent, ParkedTicket, PushedRequest],
  migrations: [CreateBrowserTables1763870000001, CountVersionsInBrowsers1764000002500, ParkTickets1764000003000],
  errors: OAUTH_ERRORS,
  pages: PAGES,
  commands: [() => import('./pages/pages.commands.js')],
})
@Module({
  imports: [DiscoveryModule],
  controllers: [
    OAuthTokenController,
    DiscoveryController,
    DeviceAuthorizationController,
    RevocationController,
    IntrospectionController,
    UserinfoController,
    AuthorizationController,
    PushedRequestController,
    DevicePageController,
    SignOutController,
  ],
  providers: [
    AuthorizationAnswers,
    AuthorizationExceptionFilter,
    AuthorizationFlow,
    AuthorizationRequestService,
    BrowserService,
    BrowserSessionService,
    ConsentService,
    IdTokenHintService,
    PageExceptionFilter,
    PageService,
    Pages,
    PushedRequestService,
    ServerMetadataService,
    SignInService,
    SignOutRequestService,
    TicketService,
  ],
  exports: [BrowserSessionService, ConsentService, Pages],
})
export class OAuthModule {}
