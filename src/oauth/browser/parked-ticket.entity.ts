import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MOMENT } from '../../base/database/columns.js';

/** A ticket that is too long for an address. Written by TicketService alone. */
@Entity('auth_parked_ticket')
export class ParkedTicket {
  /** Keyed hash of the reference that stands for it. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  hash: string;

  /** As it was sealed. */
  @Column({ type: 'text' })
  ticket: string;

  @Index('ix_auth_parked_ticket_expires')
  @Column(MOMENT)
  expires_at: number;
}
