import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Tables } from '../tables.js';

/** Which document: `sha256` is of its bytes, so that another rendering of the same receipt is another document. */
export interface DocumentKey {
  tenant: string;
  receiptId: string;
  sha256: string;
}

/** Where PDFs lie, those that were made anew included. The one on record can be rendered again, so losing it costs work only; a former one cannot. */
export interface DocumentStore {
  readonly name: 'postgres' | 's3';
  /** Puts the bytes, again if they are there already. Answers what remains to be done in the transaction that records the document. Throws StoreFailure. */
  put(key: DocumentKey, pdf: Uint8Array, now: Date): Promise<(tx: Transaction<Tables>) => Promise<void>>;
  /** The bytes as they lie there, damaged ones included; null when there are none. Throws StoreFailure. */
  get(key: DocumentKey): Promise<Uint8Array | null>;
}

export const STORE_ERRORS = ['store_access_denied', 'store_unavailable'] as const;
export type StoreError = (typeof STORE_ERRORS)[number];

/** `store_access_denied`: the store knows us and refuses, or does not know us; somebody has to look. `store_unavailable`: no certain answer. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure';

  constructor(
    readonly error: StoreError,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** How a document lies in its store. */
export async function lookUp(
  store: DocumentStore,
  key: DocumentKey,
): Promise<{ found: 'sound'; pdf: Uint8Array } | { found: 'missing' | 'damaged' }> {
  const pdf = await store.get(key);
  if (!pdf) return { found: 'missing' };
  return createHash('sha256').update(pdf).digest('hex') === key.sha256 ? { found: 'sound', pdf } : { found: 'damaged' };
}
