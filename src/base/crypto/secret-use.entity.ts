import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../database/columns.js';

/** A service secret that things were made under. Written by SecretUses alone. */
@Entity('auth_secret_use')
export class SecretUse {
  /** ServiceSecret.id. */
  @PrimaryColumn({ type: 'varchar', length: 16 })
  id: string;

  @Column(MOMENT)
  first_used_at: number;

  /** To the minute while two secrets are known, else as of the latest start. */
  @Column(MOMENT)
  last_used_at: number;
}
