import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** The identifier of a JWT that was accepted once and never again (RFC 7519 §4.1.7). Written by UsedJtiService alone. */
@Entity('auth_used_jti')
export class UsedJti {
  /** SHA-256 over what the JWT was for, whose it was, and its jti: one size, whatever was sent. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  hash: string;

  /** From then on the JWT is refused for its age. */
  @Index('ix_auth_used_jti_expires')
  @Column(MOMENT)
  expires_at: number;
}
