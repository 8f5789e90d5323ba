import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<string>();

/** Runs `fn` so that every log line and event caused inside carries this correlation id. */
export function withCorrelation<T>(correlationId: string, fn: () => T): T {
  return storage.run(correlationId, fn);
}

/** The correlation id of the work in hand, or null outside any. */
export function currentCorrelationId(): string | null {
  return storage.getStore() ?? null;
}
