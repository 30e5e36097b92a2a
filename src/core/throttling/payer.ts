import type { HttpExchange } from '../../base/http/http-exchange.js';
import { networkOf } from '../../base/http/address.js';

/** Whose budget a request is taken from: the address that it came from, or the session of a genuine token it presents. */
export type Payer = 'address' | 'session';

const PAYER = Symbol('payer');
type Paid = HttpExchange & { [PAYER]?: Payer };

/** Who pays for a request; undefined: no guard of the limits was asked. */
export function payerOf(http: HttpExchange): Payer | undefined {
  return (http as Paid)[PAYER];
}

export function setPayer(http: HttpExchange, payer: Payer): void {
  (http as Paid)[PAYER] = payer;
}

/** Where somebody asks from, as far as it can be told apart: an address of IPv4, a /48 of IPv6. */
export function networkPaying({ ip }: HttpExchange): string {
  return ip === undefined ? 'none' : networkOf(ip, { v4: 32, v6: 48 });
}

/** The address that a request counts against. Who has one IPv6 address has a /64 of them. */
export function addressOf({ ip }: HttpExchange): string {
  return ip === undefined ? 'none' : networkOf(ip, { v4: 32, v6: 64 });
}
