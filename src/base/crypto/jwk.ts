/** Members of a JWK that hold a secret: RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2. */
const SECRET = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Whether a JWK is, or claims to be, a private or a symmetric key. */
export function isSecretJwk(jwk: object): boolean {
  return SECRET.some((member) => Object.hasOwn(jwk, member));
}
