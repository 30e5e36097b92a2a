import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT, WORDS } from '../../base/database/columns.js';

/** A device authorization (RFC 8628). Written by DeviceAuthorizationService alone. */
@Entity('auth_device_authorization')
export class DeviceAuthorization {
  /** Keyed hash of the device code. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  hash: string;

  /** Keyed hash of the user code. */
  @Index('uq_auth_device_authorization_user_code', { unique: true })
  @Column({ type: 'varchar', length: 43 })
  user_code_hash: string;

  @Column({ type: 'varchar', length: 128 })
  client_id: string;

  @Column(WORDS)
  scope: string[];

  @Column({ type: 'varchar', length: 8, default: 'pending' })
  status: 'pending' | 'approved' | 'denied' | 'used';

  /** The session that entered the user code first, and alone may answer; null: nobody has. */
  @Index('ix_auth_device_authorization_claimed')
  @Column({ type: 'varchar', length: 64, nullable: true })
  claimed_by: string | null;

  /** The user who approved. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  sub: string | null;

  @Column({ ...MOMENT, nullable: true })
  authenticated_at: number | null;

  /** The version of the user's credentials that their sign-in was checked against. */
  @Column({ type: 'integer', default: 0 })
  credentials_version: number;

  /** Least seconds between two polls; grows by 5 with each slow_down (RFC 8628 §3.5). */
  @Column({ type: 'integer' })
  interval: number;

  @Column({ ...MOMENT, nullable: true })
  polled_at: number | null;

  @Index('ix_auth_device_authorization_expires')
  @Column(MOMENT)
  expires_at: number;
}
