import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT, STRINGS } from '../../base/database/columns.js';

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

  /** The e-mail address if the user has proven it, lower-cased: they may sign in by it. */
  @Index('uq_auth_user_login_email', { unique: true })
  @Column({ type: 'varchar', length: 320, nullable: true })
  login_email: string | null;

  /** Proven, as `+86 13800000000`: the user may sign in by it. */
  @Index('uq_auth_user_phone_number', { unique: true })
  @Column({ type: 'varchar', length: 32, nullable: true })
  phone_number: string | null;

  @Column({ type: 'varchar', length: 200, nullable: true })
  name: string | null;

  @Column({ type: 'varchar', length: 2048, nullable: true })
  picture: string | null;

  @Column({ type: 'varchar', length: 16, nullable: true })
  gender: string | null;

  /** BCP 47. */
  @Column({ type: 'varchar', length: 35, nullable: true })
  locale: string | null;

  @Column(STRINGS)
  groups: string[];

  @Column({ type: 'boolean', default: false })
  disabled: boolean;

  /** Waits for an operator's approval: known, but not let in yet. */
  @Column({ type: 'boolean', default: false })
  pending: boolean;

  /** Keyed hash of the device that an anonymous user was made on; null: not anonymous. */
  @Index('ix_auth_user_anonymous_device')
  @Column({ type: 'varchar', length: 43, nullable: true })
  anonymous_device: string | null;

  /** Counts what ends every sign-in of the user: one that was checked against another version no longer holds. */
  @Column({ type: 'integer', default: 0 })
  credentials_version: number;

  /** The one session that goes on though the version changed: the one that its user changed the password from. */
  @Column({ type: 'varchar', length: 22, nullable: true })
  kept_session_id: string | null;

  /** When the version changed last: for people, and for processes of an earlier release. */
  @Column({ ...MOMENT, default: 0 })
  valid_after: number;

  /** When an anonymous user signed in last; null: not anonymous. */
  @Index('ix_auth_user_anonymous_seen')
  @Column({ ...MOMENT, nullable: true })
  anonymous_seen_at: number | null;

  @Column(MOMENT)
  created_at: number;

  @Column(MOMENT)
  updated_at: number;
}
