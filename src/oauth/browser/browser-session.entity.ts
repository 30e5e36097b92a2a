import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** A browser that a user is signed in with. Written by BrowserSessionService alone. */
@Entity('auth_browser_session')
export class BrowserSession {
  /** 16 random bytes, base64url: what codes and sessions that come from it refer to. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id: string;

  /** Keyed hash of the cookie. */
  @Index('uq_auth_browser_session_hash', { unique: true })
  @Column({ type: 'varchar', length: 43 })
  hash: string;

  @Index('ix_auth_browser_session_sub')
  @Column({ type: 'varchar', length: 255 })
  sub: string;

  /** What the user signed in as, to show it to them. */
  @Column({ type: 'varchar', length: 128 })
  username: string;

  /** When the user proved who they are. */
  @Column(MOMENT)
  authenticated_at: number;

  /** The version of the user's credentials that the sign-in was checked against. */
  @Column({ type: 'integer', default: 0 })
  credentials_version: number;

  /** To the minute. */
  @Column(MOMENT)
  used_at: number;

  @Index('ix_auth_browser_session_expires')
  @Column(MOMENT)
  expires_at: number;
}
