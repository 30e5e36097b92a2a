import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';
import type { VerificationPurpose } from './verification-purpose.js';

/** A code that was asked for, and then the token that it was exchanged for. Written by VerificationService alone. */
@Entity('auth_verification')
export class Verification {
  /** 16 random bytes, base64url: the `verification_id`. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id: string;

  /** The client that asked, and at which alone it is good. */
  @Column({ type: 'varchar', length: 128 })
  client_id: string;

  @Column({ type: 'varchar', length: 16 })
  purpose: VerificationPurpose;

  /** Keyed hash of the e-mail address or phone number. */
  @Index('ix_auth_verification_target')
  @Column({ type: 'varchar', length: 43 })
  target: string;

  /** The signed-in user who asked for the code; null: nobody was signed in. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  sub: string | null;

  /** Keyed hash of the code; where none was sent, of what nobody knows. */
  @Column({ type: 'varchar', length: 43 })
  code_hash: string;

  @Column({ type: 'integer' })
  tries_left: number;

  /** Keyed hash of the verification token that the code was exchanged for; null: not yet. */
  @Column({ type: 'varchar', length: 43, nullable: true })
  token_hash: string | null;

  /** Of the code; then of the token. */
  @Index('ix_auth_verification_expires')
  @Column(MOMENT)
  expires_at: number;
}
