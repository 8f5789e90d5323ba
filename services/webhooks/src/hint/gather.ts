/** Calls `signal` so many milliseconds after the first of a burst of calls: events about one object come together, and then share one request. */
export function gathering(signal: () => void, ms: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      signal();
    }, ms).unref();
  };
}
