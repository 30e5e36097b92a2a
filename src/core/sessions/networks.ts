import { Injectable } from '@nestjs/common';
import { networkOf } from '../../base/http/address.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import type { Party } from './lease.js';

/** The longest retry window: what is compared is where a token was exchanged, and where once more. */
const NETWORK = purpose('session-network', 300_000);
const HASH_BYTES = 16;
/** What somebody keeps while their address changes, and shares with few. */
const NETWORK_BITS = { v4: 24, v6: 48 };

/** Tells networks apart without storing anybody's address. */
@Injectable()
export class Networks {
  constructor(private readonly secret: ServiceSecret) {}

  /**
   * The keyed hash of the network that a public client asks from, 22 characters; the same one for every session.
   * @returns null where nobody asks for it: the client proves who it is by other means, or its address is not known
   */
  of({ client, ip }: Party): string | null {
    if (!client.public || ip === undefined) return null;
    return shown(this.secret.mac(NETWORK, networkOf(ip, NETWORK_BITS)));
  }

  /** Whether a party asks from this network, whichever of our secrets that was hashed under. */
  isOf(network: string, { ip }: Party): boolean {
    if (ip === undefined) return false;
    return this.secret.macs(NETWORK, networkOf(ip, NETWORK_BITS)).some((mac) => shown(mac) === network);
  }
}

function shown(mac: Buffer): string {
  return mac.toString('base64url', 0, HASH_BYTES);
}
