/** A small seeded generator (mulberry32), so that a failing run can be replayed from the seed it printed. */
export interface Random {
  next(): number;
  below(n: number): number;
  pick<T>(from: readonly T[]): T;
  chance(p: number): boolean;
  /** A copy in random order. */
  shuffled<T>(items: readonly T[]): T[];
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  const shuffled = <T>(items: readonly T[]): T[] => {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i -= 1) {
      const j = below(i + 1);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  };
  return { next, below, pick: (from) => from[below(from.length)]!, chance: (p) => next() < p, shuffled };
}

/** Of this run: what TIDEGATE_SEED says, or that of each `npm test`, so that a change is not judged by chance; `npm run verify` gives another each time. */
export const seedOfThisRun = (): number => Number(process.env['TIDEGATE_SEED'] ?? 4);
