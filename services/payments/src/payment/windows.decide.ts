/** Times in epoch seconds, both included. */
export interface Window {
  from: number;
  to: number;
}

/** The same seconds in as few windows as possible, oldest first: what a scan has to read. */
export function unionOf(windows: readonly Window[]): Window[] {
  const union: Window[] = [];
  for (const { from, to } of windows.toSorted((a, b) => a.from - b.from)) {
    const last = union.at(-1);
    if (last && from <= last.to + 1) last.to = Math.max(last.to, to);
    else union.push({ from, to });
  }
  return union;
}

/** Whether one of the windows holds all of this one. */
export const covers = (union: readonly Window[], { from, to }: Window): boolean => union.some((one) => one.from <= from && to <= one.to);
