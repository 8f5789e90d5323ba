import { atCall, type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { WrongExpectedVersion } from '@tidegate/event-store/append';
import type { Clock } from '@tidegate/service-host/clock';
import { currentTraceparent, inSpan } from '@tidegate/telemetry/tracing';
import type { Kysely } from 'kysely';
import { PayerUnavailable, PaymentUnknown, type PayerDetails } from '../payer/payer-details.js';
import type { ReceiptMetrics } from '../receipt/receipt.metrics.js';
import { type LoadedReceipts, loadReceipts, record } from '../receipt/receipt.record.js';
import { RenderError } from '../rendering/render-error.js';
import type { RenderedDocument, TypstRenderer } from '../rendering/typst-renderer.js';
import type { Tables } from '../tables.js';
import { composeDocument } from './compose-document.js';
import { dropClaim, LONGEST_RETRY_SECONDS, retryLater, writeDocument } from './document.store.js';

export interface DocumentPorts {
  db: Kysely<Tables>;
  failpoints: Failpoints;
  clock: Clock;
  renderer: TypstRenderer;
  payers: PayerDetails;
  metrics: ReceiptMetrics;
  /** Events were committed: there is something to publish. */
  committed: () => void;
}

/** `of_issue` continues the trace that numbered the receipt, `current` the one of whoever asks for the document now. */
export type RenderTrace = 'of_issue' | 'current';

/**
 * Makes the document of one receipt and stores it with its event in one transaction. Any failure is counted by name, put on record when
 * its cause is a new one, and thrown; the receipt keeps its number and is due again later, or parked (ReceiptParked).
 */
export async function renderReceipt(
  ports: DocumentPorts,
  paymentId: string,
  receiptId: string,
  trace: RenderTrace,
): Promise<RenderedDocument> {
  const receipt = await issued(ports.db, paymentId, receiptId);
  const parent = trace === 'current' ? {} : { parent: receipt.origin?.traceparent ?? null };
  return inSpan('receipts.render', { ...parent, attributes: { 'receipt.id': receiptId } }, async () => {
    const finished = ports.metrics.renderDuration.startTimer();
    try {
      const document = await compile(ports, receipt);
      finished();
      await store(ports, paymentId, receiptId, document);
      return document;
    } catch (error) {
      const name = errorName(error);
      ports.metrics.errors.inc({ error: name });
      const parked = await recordFailure(ports, paymentId, receiptId, name);
      throw parked ? new ReceiptParked(receiptId, error) : error;
    }
  });
}

async function compile(ports: DocumentPorts, { facts, origin }: Awaited<ReturnType<typeof issued>>): Promise<RenderedDocument> {
  const details = await ports.payers.of(facts, origin?.correlation_id ?? facts.receipt_id);
  const input = composeDocument(facts, details);
  return atCall(ports.failpoints, 'receipts.render.compile', () => ports.renderer.render(facts.template, input, new Date(facts.issued_at)));
}

/** Locks in the order events, `receipts`, `documents`, `renderings`, as claiming and the rebuild do: another order meets them in a deadlock. */
async function store(ports: DocumentPorts, paymentId: string, receiptId: string, document: RenderedDocument): Promise<void> {
  const now = ports.clock.now();
  await inTransaction(ports, 'receipts.render.store', async (tx) => {
    const { loaded, rendering, origin } = await issued(tx, paymentId, receiptId);
    if (rendering?.sha256 !== document.sha256) {
      const { sha256, template, engine, fonts } = document;
      const event = { type: 'ReceiptRendered', version: 1, data: { receipt_id: receiptId, sha256, template, engine, fonts } } as const;
      await record(tx, paymentId, loaded, event, causedBy(origin, receiptId), now);
    }
    await writeDocument(tx, receiptId, document, now);
    await dropClaim(tx, receiptId);
  }).catch(unlessAnotherWasFirst);
  ports.committed();
}

/** Asking costs little, and the documents should follow soon after payments is back. */
const LONGEST_WAIT_FOR_PAYMENTS_SECONDS = 5;

/** How long a payment that payments does not know is asked for; it may come back by a repair. A cause of our own goes away with a deploy, however late. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/** The document will not be tried again by itself: only when somebody asks for it. */
export class ReceiptParked extends Error {
  override readonly name = 'ReceiptParked';
  constructor(receiptId: string, cause: unknown) {
    super(`${receiptId} is parked: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Waiting for payments is no fault of the receipt: it stays `issued`. The order of locks is that of `store`. Whether the receipt is parked now. */
async function recordFailure(ports: DocumentPorts, paymentId: string, receiptId: string, error: RenderFailure): Promise<boolean> {
  const now = ports.clock.now();
  let parked = false;
  await inTransaction(ports, 'receipts.render.fail', async (tx) => {
    const receipt = await issued(tx, paymentId, receiptId);
    if (error !== 'payment_unavailable' && receipt.error !== error && !receipt.rendering) {
      const event = { type: 'ReceiptRenderFailed', version: 1, data: { receipt_id: receiptId, error } } as const;
      await record(tx, paymentId, receipt.loaded, event, causedBy(receipt.origin, receiptId), now);
    }
    parked = await retryLater(tx, receiptId, {
      now,
      longestSeconds: error === 'payment_unavailable' ? LONGEST_WAIT_FOR_PAYMENTS_SECONDS : LONGEST_RETRY_SECONDS,
      longEnough: error === 'payment_unknown' && now.getTime() - Date.parse(receipt.facts.issued_at) >= GIVE_UP_AFTER_MS,
    });
  }).catch(unlessAnotherWasFirst);
  return parked;
}

async function issued(db: Kysely<Tables>, paymentId: string, receiptId: string) {
  const loaded = await loadReceipts(db, paymentId);
  const receipt = loaded.receipts.get(receiptId);
  if (!receipt) throw new Error(`Bug: ${receiptId} is not a receipt of ${paymentId}`);
  return { ...receipt, loaded, origin: loaded.origin };
}

function causedBy(origin: LoadedReceipts['origin'], receiptId: string) {
  return {
    correlation_id: origin?.correlation_id ?? receiptId,
    causation_id: origin?.causation_id ?? null,
    traceparent: currentTraceparent(),
  };
}

/** Two replicas made the same document: the first one's is on record, and the bytes are equal. */
function unlessAnotherWasFirst(error: unknown): void {
  if (!(error instanceof WrongExpectedVersion)) throw error;
}

export const RENDER_FAILURES = ['template', 'font', 'engine', 'timeout', 'payment_unavailable', 'payment_unknown', 'unexpected'] as const;
export type RenderFailure = (typeof RENDER_FAILURES)[number];

function errorName(error: unknown): RenderFailure {
  if (error instanceof RenderError) return error.error;
  if (error instanceof PaymentUnknown) return 'payment_unknown';
  return error instanceof PayerUnavailable ? 'payment_unavailable' : 'unexpected';
}
