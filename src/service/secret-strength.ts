/** A command that prints a secret as good as any. */
export const MAKE_A_SECRET = 'openssl rand -base64 32';

/** What secrets are called in examples and templates, without what may stand between the words. */
const PLACEHOLDER =
  /change(me|this|it)|replace(me|this)|your(own|super)?secret|placeholder|passw(or)?d|example|qwerty|s3cr3t/;

const LEAST_BITS = 60;

/**
 * Whether a secret looks as if somebody had made it up: a placeholder, or too little in it that its beginning does not tell
 * already. A guess in favour of the secret: 32 random characters pass, even if they are decimal digits.
 */
export function isEasyToGuess(secret: string): boolean {
  return PLACEHOLDER.test(secret.toLowerCase().replace(/[^a-z0-9]/g, '')) || bitsOf(secret) < LEAST_BITS;
}

/** Each character counts by how many different ones there are, unless it repeats what was there, or counts on (`1234`). */
function bitsOf(secret: string): number {
  const step = (at: number) => secret.charCodeAt(at) - secret.charCodeAt(at - 1);
  const isTold = (at: number): boolean =>
    at >= 2 &&
    ((step(at) === step(at - 1) && Math.abs(step(at)) <= 1) ||
      secret.lastIndexOf(secret.slice(at - 2, at + 1), at - 3) >= 0);
  const untold = [...Array(secret.length).keys()].filter((at) => !isTold(at)).length;
  return untold * Math.log2(new Set(secret).size);
}
