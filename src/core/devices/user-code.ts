/**
 * A user code as people type it, in the spelling of the device: in capitals of the Latin alphabet, with the one dash of
 * ours (RFC 8628 §6.1). Whatever else stands between them is ignored: keyboards have many dashes and spaces, and some
 * write every letter full-width (NFKC).
 */
export function spelledUserCode(typed: string): string {
  const letters = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}
