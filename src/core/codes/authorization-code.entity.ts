import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT, WORDS } from '../../base/database/columns.js';

/** An authorization code (RFC 6749 §4.1.2). Written by AuthorizationCodeService alone. */
@Entity('auth_authorization_code')
export class AuthorizationCode {
  /** Keyed hash of the code. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  hash: string;

  @Column({ type: 'varchar', length: 128 })
  client_id: string;

  @Column({ type: 'varchar', length: 255 })
  sub: string;

  @Column(WORDS)
  scope: string[];

  @Column({ type: 'varchar', length: 2048 })
  redirect_uri: string;

  /** PKCE S256 (RFC 7636 §4.2); null: the request had none. */
  @Column({ type: 'varchar', length: 43, nullable: true })
  code_challenge: string | null;

  @Column({ type: 'varchar', length: 512, nullable: true })
  nonce: string | null;

  /** Thumbprint of the key that the redemption must prove (RFC 9449 §10); null: any, or none. */
  @Column({ type: 'varchar', length: 43, nullable: true })
  dpop_jkt: string | null;

  @Column(MOMENT)
  authenticated_at: number;

  /** The version of the user's credentials that the sign-in was checked against. */
  @Column({ type: 'integer', default: 0 })
  credentials_version: number;

  @Index('ix_auth_authorization_code_expires')
  @Column(MOMENT)
  expires_at: number;

  /** The browser session that it was issued from; null: none of ours. */
  @Index('ix_auth_authorization_code_browser')
  @Column({ type: 'varchar', length: 22, nullable: true })
  browser_session_id: string | null;

  /** The session that its redemption opened; null: not used yet. */
  @Column({ type: 'varchar', length: 22, nullable: true })
  session_id: string | null;
}
