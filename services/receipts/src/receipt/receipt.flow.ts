import { randomBytes } from 'node:crypto';
import type { Envelope } from '@tidegate/contracts/envelope';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { Transaction } from 'kysely';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import type { Tables } from '../tables.js';
import { counterOf, type Due, dueFor, issueReceipt } from './receipt.decide.js';
import type { CreditNoteVoided, ReceiptIssued } from './receipt.events.js';
import { receiptId } from './receipt-id.js';
import { type LoadedReceipts, loadReceipts, record } from './receipt.record.js';
import { nextSequence } from './receipt.store.js';

export interface PaymentTold {
  payment: PaymentSnapshot;
  tenant: Tenant;
  /** With its time when it is the event that told of it. */
  cause: Pick<Envelope, 'id' | 'correlation_id' | 'traceparent'> & Partial<Pick<Envelope, 'occurred_at'>>;
  now: Date;
  numberFormat: string;
  /** Name of the template that its document is made with. */
  template: string;
  publicUrl?: string | null;
}

/**
 * Gives the payment its receipt and the credit notes of its refunds, and voids those whose refund failed; nothing when it has all that. Numbers are taken in the
 * transaction that appends the events: when another issuer was first (WrongExpectedVersion), all of it rolls back and no number is lost.
 */
export async function issueWhatIsDue(tx: Transaction<Tables>, told: PaymentTold): Promise<(ReceiptIssued | CreditNoteVoided)[]> {
  const { payment, cause, now } = told;
  let loaded = await loadReceipts(tx, payment.payment_id);
  const metadata = { correlation_id: cause.correlation_id, causation_id: cause.id, traceparent: currentTraceparent() ?? cause.traceparent };
  const events: (ReceiptIssued | CreditNoteVoided)[] = [];
  for (const due of dueFor(payment, loaded.receipts)) {
    const event = await eventFor(tx, due, loaded, told);
    loaded = await record(tx, payment.payment_id, loaded, event, metadata, now);
    events.push(event);
  }
  return events;
}

/** The same, for who wants to know of the receipt only: its facts when it was issued now, else null. */
export async function issueForPayment(tx: Transaction<Tables>, told: PaymentTold): Promise<ReceiptFacts | null> {
  const issued = (await issueWhatIsDue(tx, told)).find((event) => event.type === 'ReceiptIssued' && event.data.kind === 'receipt');
  return issued?.type === 'ReceiptIssued' ? issued.data : null;
}

async function eventFor(
  tx: Transaction<Tables>,
  due: Due,
  loaded: LoadedReceipts,
  told: PaymentTold,
): Promise<ReceiptIssued | CreditNoteVoided> {
  const { payment, tenant, cause, now, numberFormat, template, publicUrl = null } = told;
  if (due.kind === 'void')
    return { type: 'CreditNoteVoided', version: 1, data: { receipt_id: due.receiptId, voided_at: now.toISOString() } };
  const { sequence, issuedAt } = await nextSequence(tx, counterOf(tenant, now, due.kind), now);
  const receipt = loaded.receipts.get(receiptId(payment.payment_id))?.facts ?? null;
  const verificationToken = randomBytes(16).toString('base64url');
  const happened = (due.kind === 'receipt' ? payment.paid_at : null) ?? cause.occurred_at;
  const happenedAt = happened === undefined ? null : new Date(happened);
  return issueReceipt({
    due,
    payment,
    tenant,
    issuedAt,
    happenedAt,
    sequence,
    numberFormat,
    template,
    verificationToken,
    publicUrl,
    receipt,
  });
}
