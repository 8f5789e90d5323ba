/** The part number `index`, from 0, of `parts` about equal ones; neighbours stay together. */
export function shareOf<T>(all: readonly T[], index: number, parts: number): T[] {
  const bound = (i: number) => Math.round((all.length * i) / parts);
  return all.slice(bound(index), bound(index + 1));
}
