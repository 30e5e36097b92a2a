/** A JWS in its compact serialization (RFC 7515 §7.1), taken apart; nothing of it is verified yet. */
export interface Jws {
  header: Record<string, unknown>;
  /** What the signature is over. */
  input: Buffer;
  payload: Buffer;
  signature: Buffer;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @returns undefined where it is malformed, or not in the one spelling that it has */
export function parseJws(token: string): Jws | undefined {
  const [head, body, mac, ...more] = token.split('.');
  if (head === undefined || body === undefined || mac === undefined || more.length > 0) return undefined;
  const [first, payload, signature] = [decoded(head), decoded(body), decoded(mac)];
  if (!first || !payload || !signature) return undefined;
  const header = jsonObject(first);
  return header && { header, input: Buffer.from(`${head}.${body}`, 'latin1'), payload, signature };
}

/** @returns undefined where the bytes are no JSON object in UTF-8 */
export function jsonObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a header's `typ` is that media type (RFC 7515 §4.1.9): in any case, and `application/` may be left out. */
export function isTyp(sent: unknown, typ: string): boolean {
  if (sent === typ) return true;
  return typeof sent === 'string' && [typ, `application/${typ}`].includes(sent.toLowerCase());
}

/** Buffer.from() would overlook padding, white space and what follows them. */
function decoded(base64url: string): Buffer | undefined {
  const bytes = Buffer.from(base64url, 'base64url');
  return bytes.toString('base64url') === base64url ? bytes : undefined;
}
