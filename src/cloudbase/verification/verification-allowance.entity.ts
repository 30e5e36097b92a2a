import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** What went to one target, or to one target on behalf of one who asked. Written by VerificationAllowances alone. */
@Entity('auth_verification_allowance')
export class VerificationAllowance {
  /** Keyed hash of the target, or of the target and who asked. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  owner: string;

  @Column(MOMENT)
  sent_at: number;

  /** Codes sent in the day that began at `day_began_at`. */
  @Column({ type: 'integer' })
  sends: number;

  @Index('ix_auth_verification_allowance_day')
  @Column(MOMENT)
  day_began_at: number;
}
