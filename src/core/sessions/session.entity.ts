import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT, WORDS } from '../../base/database/columns.js';
import type { EndActor, EndReason } from './ending.js';

/** One sign-in, for as long as it lasts. Written by SessionService alone. */
@Entity('auth_session')
@Index('ix_auth_session_device', ['sub', 'device_id'])
export class Session {
  /** 16 random bytes, base64url: the `sid` of its tokens. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id: string;

  @Column({ type: 'varchar', length: 255 })
  sub: string;

  @Index('ix_auth_session_client')
  @Column({ type: 'varchar', length: 128 })
  client_id: string;

  @Column(WORDS)
  scope: string[];

  /** The one generation whose refresh token is alive. */
  @Column({ type: 'integer', default: 0 })
  generation: number;

  /** When the user proved who they are. */
  @Column(MOMENT)
  authenticated_at: number;

  /** The version of the user's credentials that the sign-in was checked against. */
  @Column({ type: 'integer', default: 0 })
  credentials_version: number;

  @Column(MOMENT)
  created_at: number;

  @Index('ix_auth_session_expires')
  @Column(MOMENT)
  expires_at: number;

  /** When the living generation was derived; null before the first refresh. */
  @Column({ ...MOMENT, nullable: true })
  rotated_at: number | null;

  /** The x-device-id that came with that rotation. */
  @Column({ type: 'varchar', length: 128, nullable: true })
  rotated_by_device: string | null;

  /** The network that it came from (Networks); null where that does not matter, or is not known. */
  @Column({ type: 'varchar', length: 22, nullable: true })
  rotated_by_network: string | null;

  /** The two networks of the latest exchange that was repeated from another one than it had come from, in that order. */
  @Column({ type: 'varchar', length: 45, nullable: true })
  repeated_networks: string | null;

  /** The generation that this exchange had led to; 0: there was none. */
  @Column({ type: 'integer', default: 0 })
  repeated_generation: number;

  /** The x-device-id of the sign-in. */
  @Column({ type: 'varchar', length: 128, nullable: true })
  device_id: string | null;

  /** Thumbprint (RFC 7638) of the key whose proof every refresh needs (RFC 9449 §5); null: it needs none. */
  @Column({ type: 'varchar', length: 43, nullable: true })
  dpop_jkt: string | null;

  /** The browser session that it was opened from, and ends with; null: none. */
  @Index('ix_auth_session_browser')
  @Column({ type: 'varchar', length: 22, nullable: true })
  browser_session_id: string | null;

  /** Whether its access tokens may act on the user's whole account: by what opened it (account-access.ts). */
  @Column({ type: 'boolean', default: false })
  account_access: boolean;

  /** When its user proved once more, within it, who they are; null: not since the sign-in. */
  @Column({ ...MOMENT, nullable: true })
  proven_at: number | null;

  @Column({ ...MOMENT, nullable: true })
  revoked_at: number | null;

  /** Why it ended then (Ending); null: it goes on, or nobody knows any more. */
  @Column({ type: 'varchar', length: 32, nullable: true })
  end_reason: EndReason | null;

  @Column({ type: 'varchar', length: 16, nullable: true })
  ended_by: EndActor | null;

  @Column({ type: 'varchar', length: 64, nullable: true })
  ended_from: string | null;

  @Column({ type: 'varchar', length: 128, nullable: true })
  ended_by_device: string | null;
}
