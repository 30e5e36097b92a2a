import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MOMENT, WORDS } from '../database/columns.js';

/** An OAuth client (RFC 6749 §2). Written by ClientService alone. */
@Entity('auth_client')
export class Client {
  @PrimaryColumn({ type: 'varchar', length: 128 })
  id: string;

  @Column({ type: 'varchar', length: 200 })
  name: string;

  /** A public client has no secret (RFC 6749 §2.1). */
  @Column({ type: 'boolean' })
  public: boolean;

  @Column({ type: 'boolean', default: false })
  disabled: boolean;

  @Column(WORDS)
  grant_types: string[];

  /** Every scope that the client may ask for. */
  @Column(WORDS)
  scopes: string[];

  /** What it gets when it asks for none. */
  @Column(WORDS)
  default_scope: string[];

  @Column(WORDS)
  redirect_uris: string[];

  /** Where a browser may be sent after signing out (OpenID Connect RP-Initiated Logout §3.1). */
  @Column({ ...WORDS, nullable: true })
  post_logout_redirect_uris: string[];

  /** The operator's own: its users are not asked for their consent. */
  @Column({ type: 'boolean', default: false })
  first_party: boolean;

  /** Seconds; null: the service's default. */
  @Column({ type: 'integer', nullable: true })
  access_token_ttl: number | null;

  /** Seconds from sign-in; null: the service's default. */
  @Column({ type: 'integer', nullable: true })
  refresh_token_ttl: number | null;

  /** Copied into the token response. */
  @Column({ type: 'boolean', default: false })
  need_weda_resource: boolean;

  @Column(MOMENT)
  created_at: number;
}
