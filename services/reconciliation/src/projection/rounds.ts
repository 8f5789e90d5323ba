/** Puts events in rounds: at most one of each object in a round, and the events of an object in their order. One statement may then write a round. */
export function rounds<T>(told: readonly T[], idOf: (one: T) => string): T[][] {
  const made: T[][] = [];
  const seen = new Map<string, number>();
  for (const one of told) {
    const round = seen.get(idOf(one)) ?? 0;
    (made[round] ??= []).push(one);
    seen.set(idOf(one), round + 1);
  }
  return made;
}
