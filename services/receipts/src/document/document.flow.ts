import { atCall, type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import { currentTraceparent, inSpan } from '@tidegate/telemetry/tracing';
import type { Kysely, Transaction } from 'kysely';
import { PayerUnavailable, PaymentUnknown, type PayerDetails } from '../payer/payer-details.js';
import type { ReceiptMetrics } from '../receipt/receipt.metrics.js';
import { type LoadedReceipts, loadReceipts, record, untilRecorded } from '../receipt/receipt.record.js';
import { RenderError } from '../rendering/render-error.js';
import type { RenderedDocument, TypstRenderer } from '../rendering/typst-renderer.js';
import { findStanding } from '../receipt/standing.js';
import { type DocumentStore, STORE_ERRORS, StoreFailure } from '../store/document-store.port.js';
import type { Tables } from '../tables.js';
import { logosFor } from '../tenant/logos.js';
import { composeDocument } from './compose-document.js';
import { dropClaim, LONGEST_RETRY_SECONDS, retryLater } from './document.store.js';
import { type PaymentStanding, untouched } from './payment-standing.js';

export interface DocumentPorts {
  db: Kysely<Tables>;
  failpoints: Failpoints;
  clock: Clock;
  renderer: TypstRenderer;
  payers: PayerDetails;
  store: DocumentStore;
  /** Whether documents are mailed when they are made. */
  mails: boolean;
  metrics: ReceiptMetrics;
  /** Events were committed: there is something to publish. */
  committed: () => void;
}

export interface RenderRequest {
  paymentId: string;
  receiptId: string;
  /** `of_issue` continues the trace that numbered the receipt, `current` the one of whoever asks for the document now. */
  trace: 'of_issue' | 'current';
  /** `as_shown`: how the payment stood in the document that there was, so that the same bytes come back. `current`: how it stands now. */
  standing: 'as_shown' | 'current';
}

/** A document, and what of it is not part of its bytes. */
interface Made extends RenderedDocument {
  shown: PaymentStanding;
  /** Whether the payer has an address. */
  mailable: boolean;
}

/**
 * Makes the document of one receipt, puts it into the store and records it; once more when what it shows was overtaken meanwhile. Any failure is counted by name, put
 * on record when its cause is a new one, and thrown; the receipt keeps its number and is due again later, or parked (ReceiptParked).
 */
export async function renderReceipt(ports: DocumentPorts, request: RenderRequest): Promise<RenderedDocument> {
  const { paymentId, receiptId } = request;
  const receipt = await issued(ports.db, paymentId, receiptId);
  const parent = request.trace === 'current' ? {} : { parent: receipt.origin?.traceparent ?? null };
  return inSpan('receipts.render', { ...parent, attributes: { 'receipt.id': receiptId } }, async () => {
    try {
      for (let from = receipt; ; from = await issued(ports.db, paymentId, receiptId)) {
        const finished = ports.metrics.renderDuration.startTimer();
        const document = await makeDocument(ports, from, request.standing);
        finished();
        if (await store(ports, from, document)) return document;
      }
    } catch (error) {
      const name = errorName(error);
      ports.metrics.errors.inc({ error: name });
      const parked = await recordFailure(ports, paymentId, receiptId, name);
      throw parked ? new ReceiptParked(receiptId, error) : error;
    }
  });
}

/** Makes the document and changes nothing but the copy of the payer's details. Throws RenderError, PayerUnavailable or PaymentUnknown. */
export async function makeDocument(
  ports: Pick<DocumentPorts, 'db' | 'failpoints' | 'payers' | 'renderer'>,
  { facts, origin, rendering, voidedAt }: Issued,
  standing: RenderRequest['standing'],
): Promise<Made> {
  const details = await ports.payers.of(facts, origin?.correlation_id ?? facts.receipt_id);
  const shown = standing === 'as_shown' && rendering ? (rendering.shown ?? untouched) : await findStanding(ports.db, facts.payment_id);
  const input = composeDocument(facts, details, { standing: shown, voidedAt });
  const logos = await logosFor(ports.db, input.logo);
  const document = await atCall(ports.failpoints, 'receipts.render.compile', () =>
    ports.renderer.render(facts.template, input, new Date(facts.issued_at), logos),
  );
  return { ...document, shown, mailable: details.receipt_email !== null };
}

/**
 * False, and nothing is recorded, when it was overtaken. Locks in the order events, `receipts`, `documents`, `renderings`, as claiming and the rebuild do: another order
 * meets them in a deadlock.
 */
async function store(ports: DocumentPorts, from: Issued, document: Made): Promise<boolean> {
  const now = ports.clock.now();
  const { sha256, pdf } = document;
  const { payment_id: paymentId, receipt_id: receiptId, tenant } = from.facts;
  const writeDocument = await ports.store.put({ tenant, receiptId, sha256 }, pdf, now);
  const stored = await recording(ports, 'receipts.render.store', async (tx) => {
    const receipt = await issued(tx, paymentId, receiptId);
    // Another replica's document is on record: the bytes are equal.
    if (receipt.rendering?.sha256 !== sha256) {
      if (isOvertaken(from, receipt)) return false;
      const { template, engine, fonts, input, shown } = document;
      const mail = ports.mails && document.mailable && isFirst(receipt) ? { mail: firstMail(receipt) } : {};
      const data = { receipt_id: receiptId, sha256, template, engine, fonts, input, shown, ...mail };
      await record(tx, paymentId, receipt.loaded, { type: 'ReceiptRendered', version: 1, data }, causedBy(receipt.origin, receiptId), now);
    }
    await writeDocument(tx);
    await dropClaim(tx, receiptId);
    return true;
  });
  if (stored) ports.committed();
  return stored;
}

/** Voided, or made anew by somebody, since the document was begun: it would hide that. */
const isOvertaken = (from: Issued, now: Issued): boolean =>
  now.voidedAt !== from.voidedAt || now.rendering?.sha256 !== from.rendering?.sha256;

/** Only the first document of a receipt is mailed by itself, and none that was voided before it was made. */
const isFirst = ({ rendering, voidedAt, mail }: Issued): boolean =>
  rendering === null && voidedAt === null && mail.state === 'none' && mail.count === 0;

/** One that was recovered may have been mailed before the restore: somebody has to say that it is mailed again. */
const firstMail = ({ facts }: Issued): 'due' | 'unknown' => (facts.recovered ? 'unknown' : 'due');

/** Asking costs little, and the documents should follow soon after payments or the store is back. */
const LONGEST_WAIT_FOR_OTHERS_SECONDS = 5;
const isWait = (error: RenderFailure): boolean => error === 'payment_unavailable' || error === 'store_unavailable';

/** How long a payment that payments does not know is asked for; it may come back by a repair. A cause of our own goes away with a deploy, however late. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/** The document will not be tried again by itself: only when somebody asks for it. */
export class ReceiptParked extends Error {
  override readonly name = 'ReceiptParked';
  constructor(receiptId: string, cause: unknown) {
    super(`${receiptId} is parked: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Waiting for others is no fault of the receipt: it stays `issued`. The order of locks is that of `store`. Whether the receipt is parked now. */
async function recordFailure(ports: DocumentPorts, paymentId: string, receiptId: string, error: RenderFailure): Promise<boolean> {
  const now = ports.clock.now();
  return recording(ports, 'receipts.render.fail', async (tx) => {
    const receipt = await issued(tx, paymentId, receiptId);
    if (!isWait(error) && receipt.error !== error && !receipt.rendering) {
      const event = { type: 'ReceiptRenderFailed', version: 1, data: { receipt_id: receiptId, error } } as const;
      await record(tx, paymentId, receipt.loaded, event, causedBy(receipt.origin, receiptId), now);
    }
    return retryLater(tx, receiptId, {
      now,
      longestSeconds: isWait(error) ? LONGEST_WAIT_FOR_OTHERS_SECONDS : LONGEST_RETRY_SECONDS,
      longEnough: error === 'payment_unknown' && now.getTime() - Date.parse(receipt.facts.issued_at) >= GIVE_UP_AFTER_MS,
    });
  });
}

/** A receipt with what is around it. */
export type Issued = Awaited<ReturnType<typeof issued>>;

/** Throws for one that the payment does not have. */
export async function issued(db: Kysely<Tables>, paymentId: string, receiptId: string) {
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

/** A transaction that loads a receipt and records what became of it, between the failpoints of this name. */
const recording = <T>(ports: DocumentPorts, name: string, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> =>
  untilRecorded(() => inTransaction(ports, name, work));

export const RENDER_FAILURES = [
  'template',
  'font',
  'engine',
  'timeout',
  'payment_unavailable',
  'payment_unknown',
  ...STORE_ERRORS,
  'unexpected',
] as const;
export type RenderFailure = (typeof RENDER_FAILURES)[number];

export function errorName(error: unknown): RenderFailure {
  if (error instanceof RenderError || error instanceof StoreFailure) return error.error;
  if (error instanceof PaymentUnknown) return 'payment_unknown';
  return error instanceof PayerUnavailable ? 'payment_unavailable' : 'unexpected';
}
