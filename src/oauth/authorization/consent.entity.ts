import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT, WORDS } from '../../base/database/columns.js';

/** What a user has agreed that a client may do, so that they are asked once. Written by ConsentService alone. */
@Entity('auth_consent')
export class Consent {
  @PrimaryColumn({ type: 'varchar', length: 255 })
  sub: string;

  @PrimaryColumn({ type: 'varchar', length: 128 })
  client_id: string;

  @Column(WORDS)
  scope: string[];

  @Column(MOMENT)
  given_at: number;

  /** When it last spared the user the question; to the day. */
  @Index('ix_auth_consent_used')
  @Column({ ...MOMENT, default: 0 })
  used_at: number;
}
