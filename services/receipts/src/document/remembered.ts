/** More kinds than a process meets in a day; then all are forgotten. */
const MOST = 500;

/**
 * What `make` made of the same arguments before. For Intl's formats: making one costs as much as a hundred uses of it, and what is behind it lies outside of the
 * heap, where it is collected late.
 */
export function remembered<A extends readonly (string | number)[], T>(make: (...args: A) => T): (...args: A) => T {
  const made = new Map<string, T>();
  return (...args) => {
    const key = args.join('\n');
    const known = made.get(key);
    if (known !== undefined) return known;
    if (made.size >= MOST) made.clear();
    const fresh = make(...args);
    made.set(key, fresh);
    return fresh;
  };
}
