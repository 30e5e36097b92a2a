import { Injectable, Logger } from '@nestjs/common';
import { Clock } from './clock.js';

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

  /** What it throws or rejects with is logged, and changes nothing for the caller; nobody waits for it. */
  record(event: AuditEvent): void | Promise<void> {
    this.logger.log({ msg: event.event, ...event });
  }
}

/** How often a sink that fails is spoken of, in milliseconds. */
const COMPLAIN_EVERY = 60_000;

/** The only one who calls the sink: that a host's sink fails must neither change an answer nor end the process. */
@Injectable()
export class Audit {
  private readonly logger = new Logger('Audit');
  private lost = 0;
  private complainedAt = -Infinity;

  constructor(
    private readonly sink: AuditSink,
    private readonly clock: Clock,
  ) {}

  record(event: AuditEvent): void {
    const recorded = async () => this.sink.record(event);
    recorded().catch((error: unknown) => this.complain(error));
  }

  private complain(error: unknown): void {
    this.lost++;
    const now = this.clock.monotonic();
    if (now - this.complainedAt < COMPLAIN_EVERY) return;
    this.logger.error({ msg: 'audit events were lost', lost: this.lost, error: String(error) });
    this.lost = 0;
    this.complainedAt = now;
  }
}
