import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Asked when a connection stands and before the first byte of the request is sent on it, by whoever lets calls out; false keeps the request back. To connect may take
 * seconds, or the process may have been stopped meanwhile, and what was allowed at the start of the call need not be allowed any more.
 */
export const lastWord = new AsyncLocalStorage<() => Promise<boolean>>();
