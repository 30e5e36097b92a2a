import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JSONWebKeySet } from 'jose';
import { MOMENT, WORDS } from '../../base/database/columns.js';

/**
 * How a client proves who it is: not at all (a public client), by its secret (in whichever of the two ways of
 * RFC 6749 §2.3.1 it likes), or by a JWT signed with its key (RFC 7523 §2.2, OpenID Connect Core §9).
 */
export type ClientAuthMethod = 'none' | 'client_secret' | 'private_key_jwt';

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

  /** `none` for every public client, and for no other. */
  @Column({ type: 'varchar', length: 32, default: 'client_secret' })
  token_endpoint_auth_method: ClientAuthMethod;

  /** The public keys of a private_key_jwt client, by value. */
  @Column({ type: 'simple-json', nullable: true })
  jwks: JSONWebKeySet | null;

  /** Where they are published instead; https. */
  @Column({ type: 'varchar', length: 2048, nullable: true })
  jwks_uri: string | null;

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

  /** Seconds in which a rotated refresh token may be presented again; 0: never; null: the service's default. */
  @Column({ type: 'integer', nullable: true })
  refresh_retry_window: number | null;

  /** Copied into the token response. */
  @Column({ type: 'boolean', default: false })
  need_weda_resource: boolean;

  @Column(MOMENT)
  created_at: number;
}
