import { isIPv4, isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import type { Party } from './lease.js';

const NETWORK = purpose('session-network');
const HASH_BYTES = 16;

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
    return this.secret.mac(NETWORK, networkOf(ip)).toString('base64url', 0, HASH_BYTES);
  }
}

/**
 * What somebody keeps while their address changes, and shares with few: the /24 of an IPv4 address, the /48 of an IPv6
 * one. An IPv4-mapped address is the IPv4 one. What is no address is a network of its own.
 */
export function networkOf(ip: string): string {
  if (isIPv4(ip)) return `${ip.slice(0, ip.lastIndexOf('.'))}.0/24`;
  const [address = '', zone] = ip.split('%');
  if (!isIPv6(address)) return ip;
  const groups = groupsOf(address);
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff') {
    const bytes = groups.slice(6).flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
    return networkOf(bytes.join('.'));
  }
  return `${groups.slice(0, 3).join(':')}::/48${zone === undefined ? '' : `%${zone}`}`;
}

/** The eight groups of an IPv6 address, whatever its spelling. */
function groupsOf(address: string): string[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1); // RFC 5952, all of it in hexadecimal
  const [left = [], right = []] = canonical.split('::').map((half) => half.split(':').filter(Boolean));
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}
