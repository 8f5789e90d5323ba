import { afterAll } from '@jest/globals';

const open = new Map<object, string>();

/** Notes that something was started which has to be ended by the test; returns what to call when that has happened. */
export function mustBeEnded(description: string): () => void {
  const entry = {};
  open.set(entry, description);
  return () => void open.delete(entry);
}

/** What this test file started through the harness and has not ended yet, one description each. */
export function leaks(): string[] {
  return [...open.values()];
}

/** To be called as the last thing in a spec: its file fails when something of the harness was left running after all its own `afterAll`. */
export function failOnLeaks(): void {
  afterAll(() => {
    if (open.size > 0) throw new Error(`Left running by this file: ${leaks().join(', ')}`);
  });
}
