// Chance that can be thrown again: the same seed gives the same throws.

/** @returns dice of mulberry32 */
export function dice(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (share) => next() < share,
    between: (from, to) => from + next() * (to - from),
    pick: (list) => list[Math.floor(next() * list.length)],
    /** Dice of one's own, so that nobody's throws depend on how often others throw. */
    another: () => dice(Math.floor(next() * 2 ** 32)),
  };
}
