import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthError } from '../../base/errors/auth.error.js';

const TICKET = purpose('ticket');

/** How long people may take over the pages of one request, in milliseconds. */
const LIFE = 3_600_000;
/** How long after that the request can still be taken up again from its start, in milliseconds. */
const KEPT_FOR = 86_400_000;
/** Largest ticket that we would look at, in characters. */
const MAX_TICKET = 16_384;

type Kind = 'authorization' | 'sign-out';

interface Sealed<T> {
  kind: Kind;
  /** Milliseconds since the Unix epoch. */
  until: number;
  value: T;
}

/** A ticket that was opened. */
export interface Opened<T> {
  value: T;
  /** People took too long over it: the request is genuine, but what was asked has to be asked again. */
  isStale: boolean;
}

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

  /** @throws AuthError invalid_argument where it is not ours, of another kind or long expired */
  open<T extends object>(kind: Kind, ticket: string | undefined): Opened<T> {
    const sealed = this.read<T>(kind, ticket);
    const age = sealed ? this.clock.now() - sealed.until : 0;
    if (!sealed || age >= KEPT_FOR) throw new AuthError('invalid_argument', { reason: 'PAGE_EXPIRED' });
    return { value: sealed.value, isStale: age >= 0 };
  }

  /** What a ticket of ours says, however old it is: to tell people where it came from. */
  peek<T extends object>(kind: Kind, ticket: string | undefined): T | undefined {
    return this.read<T>(kind, ticket)?.value;
  }

  private read<T extends object>(kind: Kind, ticket: string | undefined): Sealed<T> | undefined {
    if (ticket === undefined || ticket.length > MAX_TICKET) return undefined;
    try {
      const sealed = JSON.parse(this.secret.open(TICKET, ticket).toString()) as Sealed<T>;
      return sealed.kind === kind ? sealed : undefined;
    } catch {
      return undefined;
    }
  }
}
