/** Longest username after normalization, in UTF-16 code units. */
export const MAX_USERNAME = 128;

/** The form in which usernames are stored, compared and counted: NFKC, case-folded, trimmed. */
export function normalizeUsername(username: string): string {
  // by way of upper case, which folds what toLowerCase alone keeps apart (ß and SS, both sigmas); ẞ folds by way of ß
  return username.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC').trim();
}

/**
 * Whether a user may choose this name for themselves. It begins with a letter and holds no `@`, so that nobody can take
 * a name under which somebody else signs in by e-mail address or phone number.
 */
export function isChosenUsername(normalized: string): boolean {
  return /^[a-z][a-z0-9._-]{1,47}$/.test(normalized);
}

/** Whether a normalized username may be one at all: not empty, not too long, no control or invisible format characters. */
export function isUsername(normalized: string): boolean {
  return (
    normalized !== '' &&
    normalized.length <= MAX_USERNAME &&
    !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(normalized)
  );
}
