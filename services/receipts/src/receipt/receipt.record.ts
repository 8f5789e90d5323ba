import { append, type Metadata, WrongExpectedVersion } from '@tidegate/event-store/append';
import { readStream } from '@tidegate/event-store/read';
import { stage } from '@tidegate/messaging/outbox';
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from '../tables.js';
import { asReceiptEvent, type ReceiptEvent, receiptStream } from './receipt.events.js';
import { published } from './receipt.publish.js';
import { evolve, noReceipts, type ReceiptsOfPayment } from './receipt.state.js';
import { project } from './project-receipt.js';

export interface LoadedReceipts {
  receipts: ReceiptsOfPayment;
  version: number;
  /** Metadata of the first event: where the trace and the correlation come from. */
  origin: Metadata | null;
}

/** The receipts of one payment with the version of their stream, 0 when there is none. */
export async function loadReceipts(db: Kysely<Tables>, paymentId: string): Promise<LoadedReceipts> {
  const events = await readStream(db, receiptStream(paymentId));
  return {
    receipts: events.map(asReceiptEvent).reduce(evolve, noReceipts),
    version: events.at(-1)?.stream_version ?? 0,
    origin: events[0]?.metadata ?? null,
  };
}

/**
 * Appends one event, projects it and stages what it publishes, all in the caller's transaction. Answers the receipts as they are after it. Throws
 * WrongExpectedVersion.
 */
export async function record(
  tx: Transaction<Tables>,
  paymentId: string,
  loaded: LoadedReceipts,
  event: ReceiptEvent,
  metadata: Metadata,
  now: Date,
): Promise<LoadedReceipts> {
  await append(tx, receiptStream(paymentId), loaded.version, [event], metadata, now);
  await project(tx, event);
  const receipts = evolve(loaded.receipts, event);
  const after = receipts.get(event.data.receipt_id);
  if (after) await stage(tx, published(event, after, metadata, now));
  return { receipts, version: loaded.version + 1, origin: loaded.origin ?? metadata };
}

/**
 * Repeats work that loads, decides and records in one transaction until no other event of the payment comes in between: its receipt, its credit notes and their mails
 * share one stream. Each time somebody else got further, so it ends.
 */
export async function untilRecorded<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof WrongExpectedVersion)) throw error;
    }
  }
}
