import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** A budget of attempts that was spent from; one without a row is whole. Written by AttemptBudgets alone. */
@Entity('auth_attempt')
export class AttemptBudget {
  /** Keyed hash of whose it is. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  owner: string;

  /** From then on it is whole again. */
  @Index('ix_auth_attempt_restored')
  @Column(MOMENT)
  restored_at: number;
}
