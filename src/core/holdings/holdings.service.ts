import { Injectable, SetMetadata } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { marked } from '../../base/door.js';
import type { Client } from '../clients/client.entity.js';
import type { Whose } from '../sessions/whose.js';
import { KEEPS_SIGNED_IN, type SignInKeeper } from './keeps-signed-in.js';

/** Something that keeps rows of users or of clients. Mark its class with `@Holds()`. */
export interface Holder {
  /**
   * Removes all that a user or a client has of it, in small batches. Called again it does what is left, so that being cut
   * off half-way does no harm. What is not the business of either (a user's at a client, say) is left alone.
   * @returns how many of the removed still counted
   */
  removeAll(of: Whose): Promise<number>;

  /**
   * A client is to be less than it was: ends what rests on the difference. Left out: nothing does.
   * @returns how much
   */
  endBeyond?(client: Client, before: Client): Promise<number>;
}

/** How much ended of what; whoever holds something of a user or a client is there, with 0 where there was none. */
export type Ended = Record<string, number>;

const HOLDS = 'nest-auth:holds';

/** Makes a provider of any module a Holder. @param what its rows are called where they are counted, such as `sessions` */
export const Holds: (what: string) => (target: new (...args: never[]) => Holder) => void = (what) =>
  SetMetadata(HOLDS, what);

/** What users and clients leave behind, wherever it is kept. Clients and users don't know who keeps it. */
@Injectable()
export class Holdings {
  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * Removes all that a user or a client has, whom nobody lets in any more: a user of the built-in table goes by
   * UserService.delete, a client by ClientService.delete, which call it; a host's own user table calls it itself.
   */
  async removeAll(of: Whose): Promise<Ended> {
    const ended = await this.each((holder) => holder.removeAll(of));
    if ('sub' in of && of.clientId === undefined) {
      for (const keeper of marked<SignInKeeper>(this.discovery, KEEPS_SIGNED_IN)) await keeper.endAll(of.sub);
    }
    return ended;
  }

  /** Ends what a client no longer may have. */
  endBeyond(client: Client, before: Client): Promise<Ended> {
    return this.each((holder) => holder.endBeyond?.(client, before) ?? Promise.resolve(0));
  }

  private async each(end: (holder: Holder) => Promise<number>): Promise<Ended> {
    const ended: Ended = {};
    for (const holder of marked<Holder>(this.discovery, HOLDS)) {
      ended[Reflect.getMetadata(HOLDS, holder.constructor) as string] = await end(holder);
    }
    return Object.fromEntries(Object.entries(ended).sort());
  }
}

/** For people: what ended, and nothing of what there was none of. */
export function endedText(ended: Ended): string {
  const some = Object.entries(ended).filter(([, n]) => n > 0);
  if (some.length === 0) return 'nothing ended';
  return `ended: ${some.map(([what, n]) => `${n} ${n === 1 ? what.replace(/s$/, '') : what}`).join(', ')}`;
}
