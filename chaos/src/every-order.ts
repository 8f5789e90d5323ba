/**
 * The end states that a fold reaches over all orders of some items, without going through each: two orders that came to the same state by the same items go on
 * alike. `keyOf` names a state by all that later steps depend on.
 */
export function everyOrder<S, T>(start: S, items: readonly T[], step: (state: S, item: T) => S, keyOf: (state: S) => string): S[] {
  const reached = new Map<number, Map<string, S>>([[0, new Map([[keyOf(start), start]])]]);
  const all = 2 ** items.length - 1;
  for (let done = 0; done < all; done += 1) {
    const states = reached.get(done);
    if (!states) continue;
    items.forEach((item, i) => {
      const next = done | (1 << i);
      if (next === done) return;
      const there = reached.get(next) ?? new Map<string, S>();
      reached.set(next, there);
      for (const state of states.values()) {
        const after = step(state, item);
        there.set(keyOf(after), after);
      }
    });
    reached.delete(done);
  }
  return [...(reached.get(all)?.values() ?? [])];
}
