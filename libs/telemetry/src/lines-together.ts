/** So much waits at most; then it is written at once. */
const MOST_CHARS = 64 * 1024;

/**
 * Lines that are written within one turn of the event loop go to `write` as one text, before anything else runs. What still waits when the process exits is written
 * then: `onExit` is told how.
 */
export function linesTogether(write: (lines: string) => void, onExit: (flush: () => void) => void): { write(line: string): void } {
  let waiting = '';
  const flush = () => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') write(lines);
  };
  onExit(flush);
  return {
    write: (line) => {
      // Runs after all promises that are settled by now, and so after all lines of a batch.
      if (waiting === '') process.nextTick(flush);
      waiting += line;
      if (waiting.length >= MOST_CHARS) flush();
    },
  };
}
