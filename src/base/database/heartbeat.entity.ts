import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MOMENT } from './columns.js';

/** One row that is written to learn whether writing works. Written by AuthDatabase alone. */
@Entity('auth_heartbeat')
export class Heartbeat {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  /** By the machine's clock. */
  @Column(MOMENT)
  beat_at: number;
}
