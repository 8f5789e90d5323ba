import type { Envelope } from '@tidegate/contracts/envelope';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { Transaction } from 'kysely';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import type { Tables } from '../tables.js';
import { counterOf, issueReceipt } from './receipt.decide.js';
import { receiptId } from './receipt-id.js';
import { loadReceipts, record } from './receipt.record.js';
import { nextSequence } from './receipt.store.js';

export interface PaymentSucceeded {
  payment: PaymentSnapshot;
  tenant: Tenant;
  cause: Pick<Envelope, 'id' | 'correlation_id' | 'traceparent'>;
  now: Date;
  numberFormat: string;
  /** Name of the template that its document is made with. */
  template: string;
}

/**
 * Gives the payment its receipt, or does nothing when it has one. The number is taken in the same transaction that appends the event: when
 * another issuer was first (WrongExpectedVersion), all of it rolls back and no number is lost.
 */
export async function issueForPayment(tx: Transaction<Tables>, succeeded: PaymentSucceeded): Promise<ReceiptFacts | null> {
  const { payment, tenant, cause, now, numberFormat, template } = succeeded;
  const id = receiptId(payment.payment_id, 'receipt');
  const loaded = await loadReceipts(tx, payment.payment_id);
  if (loaded.receipts.has(id)) return null;
  const sequence = await nextSequence(tx, counterOf(tenant, now));
  const event = issueReceipt({ receiptId: id, payment, tenant, issuedAt: now, sequence, numberFormat, template });
  const metadata = { correlation_id: cause.correlation_id, causation_id: cause.id, traceparent: currentTraceparent() ?? cause.traceparent };
  await record(tx, payment.payment_id, loaded, event, metadata, now);
  return event.data;
}
