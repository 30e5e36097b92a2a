import { Injectable, Logger } from '@nestjs/common';

/** Something that a security officer asks for afterwards. Never holds a secret, a token or a password. */
export interface AuditEvent {
  event:
    | 'sign_in'
    | 'sign_in_failed'
    | 'sign_up'
    | 'password_changed'
    | 'contact_changed'
    | 'client_authentication_failed'
    | 'refresh_token_reused'
    | 'authorization_code_reused'
    | 'session_revoked'
    | 'browser_sign_in'
    | 'browser_sign_out'
    | 'consent_given';
  requestId?: string;
  clientId?: string;
  /** The user's `sub`. */
  sub?: string;
  sessionId?: string;
  grantType?: string;
  reason?: string;
}

/** Where audit events go; a host replaces it by this class token. By default: the log. */
@Injectable()
export class AuditSink {
  private readonly logger = new Logger('Audit');

  record(event: AuditEvent): void {
    this.logger.log({ msg: event.event, ...event });
  }
}
