import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { SigningAlg } from '../../base/auth.options.js';
import { MOMENT } from '../../base/database/columns.js';

/** A key pair that signs tokens. Written by KeyService alone. */
@Entity('auth_signing_key')
export class SigningKey {
  @PrimaryColumn({ type: 'varchar', length: 22 })
  kid: string;

  @Column({ type: 'varchar', length: 5 })
  alg: SigningAlg;

  /** PKCS#8 DER, sealed under the service secret. */
  @Column({ type: 'text' })
  sealed_private_key: string;

  @Column(MOMENT)
  created_at: number;

  /** It is published from the start and signs from this moment, so that verifiers know it by then. */
  @Column(MOMENT)
  signs_from: number;

  /** Set for a key that no command asked for: of an empty database `any`, else its algorithm. Of those there is one each. */
  @Index('uq_auth_signing_key_first_of', { unique: true })
  @Column({ type: 'varchar', length: 5, nullable: true })
  first_of: SigningAlg | 'any' | null;

  /** The key that it was made to succeed when that one's time was over: each has one such successor. Null: a command made it. */
  @Index('uq_auth_signing_key_succeeds', { unique: true })
  @Column({ type: 'varchar', length: 22, nullable: true })
  succeeds: string | null;
}
