import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';

const TICKET = purpose('ticket');

/** How long people may take over the pages of one request, in milliseconds. */
const LIFE = 3_600_000;
/** Largest ticket that we would look at, in characters. */
const MAX_TICKET = 16_384;

type Kind = 'authorization' | 'sign-out';

/**
 * A checked request on its way through our pages, sealed (AES-256-GCM) into their address and forms. So nothing of it
 * is stored, it cannot be changed on the way, and every page can be reloaded.
 */
@Injectable()
export class TicketService {
  constructor(
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  seal(kind: Kind, value: object): string {
    const until = this.clock.now() + LIFE;
    return this.secret.seal(TICKET, Buffer.from(JSON.stringify({ kind, until, value })));
  }

  /** @throws AuthError invalid_argument where it is not ours, of another kind or expired */
  open<T extends object>(kind: Kind, ticket: string | undefined): T {
    const opened = ticket === undefined || ticket.length > MAX_TICKET ? undefined : this.read(ticket);
    if (!opened || opened.kind !== kind || opened.until <= this.clock.now()) {
      throw new AuthError('invalid_argument', { reason: 'PAGE_EXPIRED' });
    }
    return opened.value as T;
  }

  private read(ticket: string): { kind: Kind; until: number; value: object } | undefined {
    try {
      return JSON.parse(this.secret.open(TICKET, ticket).toString()) as ReturnType<TicketService['read']>;
    } catch {
      return undefined;
    }
  }
}
