import { Injectable, Logger } from '@nestjs/common';

/** Something that a security officer asks for afterwards. Never holds a secret, a token or a password. */
export interface AuditEvent {
  event:
    | 'sign_in'
    | 'sign_in_failed'
    | 'sign_up'
    | 'password_changed'
    | 'client_authentication_failed'
    | 'refresh_token_reused'
    | 'refresh_token_repeated_elsewhere'
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
  /** Keyed hashes, the same in every event: the network that a refresh token was exchanged in, and then again. */
  rotatedFrom?: string;
  repeatedFrom?: string;
}

/** Where audit events go; a host replaces it by this class token. By default: the log. */
@Injectable()
export class AuditSink {
  private readonly logger = new Logger('Audit');

  record(event: AuditEvent): void {
    this.logger.log({ msg: event.event, ...event });
  }
}
