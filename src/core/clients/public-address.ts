import { BlockList, isIPv6 } from 'node:net';

/** IANA's special-purpose IPv4 registry (RFC 6890), multicast and what is reserved: nothing of the public Internet. */
const IPV4_SPECIAL = subnets('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);
/** Loopback, local, mapped and translated addresses are all outside of the one block of global unicast. */
const IPV6_GLOBAL = subnets('ipv6', [['2000::', 3]]);
/** Within it: protocol assignments (Teredo among them), documentation, and 6to4, which stands for an IPv4 address. */
const IPV6_SPECIAL = subnets('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/** Whether an IP address is one of the public Internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) return IPV6_GLOBAL.check(address, 'ipv6') && !IPV6_SPECIAL.check(address, 'ipv6');
  return !IPV4_SPECIAL.check(address, 'ipv4');
}

function subnets(family: 'ipv4' | 'ipv6', blocks: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of blocks) list.addSubnet(address, prefix, family);
  return list;
}
