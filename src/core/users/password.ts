/**
 * The form in which passwords are hashed (RFC 8265 §4.2.1, OpaqueString): NFC, and every kind of space as U+0020. So it
 * is the same password from every keyboard: é is one character on some and two on others.
 */
export function normalizePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}
