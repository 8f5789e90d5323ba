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

/** Where an event stands among those of its object: a higher epoch is a later history, a higher version a later event of it. */
export interface Standing {
  epoch: number;
  version: number;
}

export const isNewer = (one: Standing, than: Standing): boolean =>
  one.epoch > than.epoch || (one.epoch === than.epoch && one.version > than.version);

/**
 * Parts events into those that can be followed without asking what is recorded in between, in rounds, and the others, as they came: all of an object that is among the
 * `known`, or of which an event is not newer than the one before.
 */
export function inTurns<T>(
  told: readonly T[],
  idOf: (one: T) => string,
  standing: (one: T) => Standing,
  known: ReadonlySet<string>,
): { inOrder: T[][]; others: T[] } {
  const out = new Set(known);
  const last = new Map<string, Standing>();
  for (const one of told) {
    const before = last.get(idOf(one));
    if (before && !isNewer(standing(one), before)) out.add(idOf(one));
    last.set(idOf(one), standing(one));
  }
  return {
    inOrder: rounds(
      told.filter((one) => !out.has(idOf(one))),
      idOf,
    ),
    others: told.filter((one) => out.has(idOf(one))),
  };
}
