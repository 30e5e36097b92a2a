import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** The last code that was sent to a target: one row per target. Written by VerificationService alone. */
@Entity('auth_verification')
export class Verification {
  /** Keyed hash of the e-mail address or phone number. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  target: string;

  /** 16 random bytes, base64url: the `verification_id`. */
  @Index('uq_auth_verification_id', { unique: true })
  @Column({ type: 'varchar', length: 22 })
  id: string;

  /** The signed-in user who asked for the code; null: nobody was signed in. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  sub: string | null;

  /** Keyed hash of the code. */
  @Column({ type: 'varchar', length: 43 })
  code_hash: string;

  @Column({ type: 'integer' })
  tries_left: number;

  /** Keyed hash of the verification token that the code was exchanged for; null: not yet. */
  @Column({ type: 'varchar', length: 43, nullable: true })
  token_hash: string | null;

  @Column(MOMENT)
  sent_at: number;

  /** Of the code; then of the token. */
  @Column(MOMENT)
  expires_at: number;

  /** Codes sent in the day that began at `day_began_at`. */
  @Column({ type: 'integer' })
  sends: number;

  @Index('ix_auth_verification_day')
  @Column(MOMENT)
  day_began_at: number;
}
