import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** A pushed authorization request (RFC 9126). Written by PushedRequestService alone. */
@Entity('auth_pushed_request')
export class PushedRequest {
  /** Keyed hash of its request_uri. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  hash: string;

  @Column({ type: 'varchar', length: 128 })
  client_id: string;

  /** The validated request, as JSON. */
  @Column({ type: 'text' })
  request: string;

  @Index('ix_auth_pushed_request_expires')
  @Column(MOMENT)
  expires_at: number;
}
