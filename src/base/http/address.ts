import { isIPv4, isIPv6 } from 'node:net';

/** Brackets and quotes are optional; a port may be hidden (RFC 7239 §6). */
const WITH_BRACKETS = /^"?\[([^\]]+)\](?::(?:\d{1,5}|_[\w.-]+))?"?$/;
const WITH_PORT = /^"?(\d+\.\d+\.\d+\.\d+):(?:\d{1,5}|_[\w.-]+)"?$/;

/**
 * The one spelling of an IP address, whatever a proxy wrote around it: a port, brackets, a zone, or IPv6 around IPv4.
 * @returns undefined where it is no address
 */
export function canonicalAddress(text: string | undefined): string | undefined {
  if (text === undefined || isIPv4(text)) return text;
  const bare = (WITH_BRACKETS.exec(text) ?? WITH_PORT.exec(text))?.[1] ?? text;
  if (isIPv4(bare)) return bare;
  const [address] = bare.split('%'); // RFC 4007 §11: the zone says which of our own interfaces it came by
  if (!isIPv6(address!)) return undefined;
  const spelled = new URL(`http://[${address}]`).hostname.slice(1, -1); // RFC 5952
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(spelled); // RFC 4291 §2.5.5.2
  return mapped ? [mapped[1]!, mapped[2]!].map(octets).join('.') : spelled;
}

/**
 * The network that an address belongs to, such as `2001:db8:0:1::/64`.
 * @param address as canonicalAddress() spells it
 * @param bits of the network's part: for IPv4 a multiple of 8, for IPv6 of 16
 */
export function networkOf(address: string, bits: { v4: number; v6: number }): string {
  if (isIPv4(address)) {
    if (bits.v4 === 32) return address;
    const kept = address.split('.').slice(0, bits.v4 / 8);
    return `${[...kept, 0, 0, 0].slice(0, 4).join('.')}/${bits.v4}`;
  }
  const [head, tail] = address.split('::').map((half) => half.split(':').filter(Boolean)) as [string[], string[]?];
  const zeros = Array<string>(tail ? 8 - head.length - tail.length : 0).fill('0');
  const kept = [...head, ...zeros, ...(tail ?? [])].slice(0, bits.v6 / 16);
  return `${kept.join(':')}::/${bits.v6}`;
}

function octets(group: string): string {
  const value = parseInt(group, 16);
  return `${value >> 8}.${value & 255}`;
}
