import { AuthorizationCode } from './core/codes/authorization-code.entity.js';
import { Consent } from './oauth/authorization/consent.entity.js';
import { PushedRequest } from './oauth/authorization/pushed-request.entity.js';
import { BrowserSession } from './oauth/browser/browser-session.entity.js';
import { ClientSecret } from './core/clients/client-secret.entity.js';
import { Client } from './core/clients/client.entity.js';
import { DeviceAuthorization } from './core/devices/device-authorization.entity.js';
import { SigningKey } from './core/keys/signing-key.entity.js';
import { UsedJti } from './core/replay/used-jti.entity.js';
import { Session } from './core/sessions/session.entity.js';
import { UserRow } from './core/users/user.entity.js';
import { Verification } from './cloudbase/verification/verification.entity.js';
import { CreateAuthTables1763850000000 } from './core/migrations/1763850000000-create-auth-tables.js';
import { BindToKeys1763860000000 } from './core/migrations/1763860000000-bind-to-keys.js';
import { SignInWithABrowser1763870000000 } from './core/migrations/1763870000000-sign-in-with-a-browser.js';
import { AddUserProfilesAndVerifications1763880000000 } from './core/migrations/1763880000000-add-user-profiles-and-verifications.js';

/** Every entity of the module, for a host's data source. Their tables begin with `auth_`. */
export const authEntities = [
  Client,
  ClientSecret,
  UserRow,
  Session,
  AuthorizationCode,
  PushedRequest,
  Consent,
  BrowserSession,
  DeviceAuthorization,
  SigningKey,
  UsedJti,
  Verification,
];

/** Every migration of the module, in order, for a host's data source. */
export const authMigrations = [
  CreateAuthTables1763850000000,
  BindToKeys1763860000000,
  SignInWithABrowser1763870000000,
  AddUserProfilesAndVerifications1763880000000,
];
