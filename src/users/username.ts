/** Longest username after normalization, in UTF-16 code units. */
export const MAX_USERNAME = 128;

/** The form in which usernames are stored, compared and counted: NFKC, case-folded, trimmed. */
export function normalizeUsername(username: string): string {
  // by way of upper case, which folds what toLowerCase alone keeps apart (ß and SS, both sigmas); ẞ folds by way of ß
  return username.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC').trim();
}

/** Whether a normalized username may be one at all: not empty, not too long, no control or invisible format characters. */
export function isUsername(normalized: string): boolean {
  return (
    normalized !== '' &&
    normalized.length <= MAX_USERNAME &&
    !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(normalized)
  );
}
