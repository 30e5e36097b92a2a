import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** One of the secrets of a confidential client; several live at a time, so that one can be exchanged without an outage. */
@Entity('auth_client_secret')
export class ClientSecret {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id: string;

  @Index('ix_auth_client_secret_client')
  @Column({ type: 'varchar', length: 128 })
  client_id: string;

  /** Keyed hash; the secret itself is shown once and never stored. */
  @Column({ type: 'varchar', length: 43 })
  hash: string;

  /** The service secret that the hash was made under (ServiceSecret.id); null: nobody wrote it down. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  hashed_under: string | null;

  @Column(MOMENT)
  created_at: number;

  /** From then on it no longer works; null: it does not expire. */
  @Column({ ...MOMENT, nullable: true })
  expires_at: number | null;
}
