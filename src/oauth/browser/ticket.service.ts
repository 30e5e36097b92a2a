import { Injectable } from '@nestjs/common';
import { In, LessThanOrEqual } from 'typeorm';
import { Clock } from '../../base/clock.js';
import { generateSecret, purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError } from '../../base/errors/auth.error.js';
import { ParkedTicket } from './parked-ticket.entity.js';

/** How long people may take over the pages of one request, in milliseconds. */
const LIFE = 3_600_000;
/** How long after that the request can still be taken up again from its start, in milliseconds. */
const KEPT_FOR = 86_400_000;
const TICKET = purpose('ticket', LIFE + KEPT_FOR);
const REFERENCE = purpose('parked-ticket', LIFE + KEPT_FOR);
/** Largest ticket that we would look at, in characters: a request at all of its bounds has two thirds of it. */
const MAX_TICKET = 32_768;
/** Longest that stands in an address itself: with the other headers it fits into 4 KiB, which is what nginx takes. */
const MAX_IN_ADDRESS = 2048;
/** What begins with it stands for a ticket; none has a dot. */
const PREFIX = 'r.';

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
 * A checked request on its way through our pages, sealed (AES-256-GCM) into their forms and addresses. So nothing of it
 * is stored, it cannot be changed on the way, and every page can be reloaded. A long one is stored after all, sealed as
 * it is, and a reference stands for it in addresses.
 */
@Injectable()
@Sweeps()
export class TicketService {
  private readonly parked = this.database.repository(ParkedTicket);

  constructor(
    private readonly database: AuthDatabase,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  /** For a form. */
  seal(kind: Kind, value: object): string {
    const until = this.clock.now() + LIFE;
    return this.secret.seal(TICKET, Buffer.from(JSON.stringify({ kind, until, value })));
  }

  /** For an address, which has room for little. */
  async forAddress(kind: Kind, value: object): Promise<string> {
    const ticket = this.seal(kind, value);
    if (ticket.length <= MAX_IN_ADDRESS) return ticket;
    const reference = PREFIX + generateSecret();
    const expires_at = this.clock.now() + LIFE + KEPT_FOR;
    // not flushed: whom a power cut takes it from starts again
    await this.parked.insert({ hash: this.secret.hash(REFERENCE, reference), ticket, expires_at });
    return reference;
  }

  /** @throws AuthError invalid_argument where it is not ours, of another kind or long expired */
  async open<T extends object>(kind: Kind, sent: string | undefined): Promise<Opened<T>> {
    const sealed = await this.read<T>(kind, sent);
    const age = sealed ? this.clock.now() - sealed.until : 0;
    if (!sealed || age >= KEPT_FOR) throw new AuthError('invalid_argument', { reason: 'PAGE_EXPIRED' });
    return { value: sealed.value, isStale: age >= 0 };
  }

  /** What a ticket of ours says, however old it is: to tell people where it came from. */
  async peek<T extends object>(kind: Kind, sent: string | undefined): Promise<T | undefined> {
    return (await this.read<T>(kind, sent))?.value;
  }

  /** Removes at most `batch` of those that nobody can take up again. */
  removeExpired(batch: number): Promise<number> {
    return this.database.deleteSome(this.parked, 'hash', { expires_at: LessThanOrEqual(this.clock.now()) }, batch);
  }

  private async unparked(reference: string): Promise<string | undefined> {
    return (await this.parked.findOneBy({ hash: In(this.secret.hashes(REFERENCE, reference)) }))?.ticket;
  }

  private async read<T extends object>(kind: Kind, sent: string | undefined): Promise<Sealed<T> | undefined> {
    const ticket = sent?.startsWith(PREFIX) ? await this.unparked(sent) : sent;
    if (ticket === undefined || ticket.length > MAX_TICKET) return undefined;
    try {
      const sealed = JSON.parse(this.secret.open(TICKET, ticket).toString()) as Sealed<T>;
      return sealed.kind === kind ? sealed : undefined;
    } catch {
      return undefined;
    }
  }
}
