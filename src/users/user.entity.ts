import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT, STRINGS } from '../database/columns.js';

/** A user of the built-in user table. Written by UserService alone. */
@Entity('auth_user')
export class UserRow {
  /** The `sub` of its tokens: a UUID. */
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id: string;

  /** Normalized: NFKC, case-folded, trimmed. */
  @Index('uq_auth_user_username', { unique: true })
  @Column({ type: 'varchar', length: 128 })
  username: string;

  /** argon2id in PHC string format; null: no password set. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  password_hash: string | null;

  @Column({ type: 'varchar', length: 320, nullable: true })
  email: string | null;

  @Column({ type: 'varchar', length: 200, nullable: true })
  name: string | null;

  @Column(STRINGS)
  groups: string[];

  @Column({ type: 'boolean', default: false })
  disabled: boolean;

  /** Sign-ins from before this moment no longer hold. */
  @Column({ ...MOMENT, default: 0 })
  valid_after: number;

  @Column(MOMENT)
  created_at: number;

  @Column(MOMENT)
  updated_at: number;
}
