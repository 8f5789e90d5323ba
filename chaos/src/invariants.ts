import type { CheckoutView, CustomerView, PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { checkoutFaults } from './checkout-invariants.js';
import type { InvoiceView } from '@tidegate/contracts/invoice';
import type { SubscriptionView } from '@tidegate/contracts/subscription';
import { customerFaults } from './customer-invariants.js';
import { subscriptionFaults } from './subscription-invariants.js';
import { isReleaseOnly, LOCAL_STATUS_OF, type Truth } from './truth.js';

/** The parts of the truth that the checks read. */
export const COMPARED = ['payment_intents', 'refunds', 'disputes', 'checkout_sessions', 'customers', 'subscriptions', 'invoices'] as const;
export type Compared = Pick<Truth, (typeof COMPARED)[number]>;

/** All that a tenant's lists show. */
export interface OurRecord {
  payments: readonly PaymentView[];
  receipts: readonly ReceiptView[];
  checkouts: readonly CheckoutView[];
  customers: readonly CustomerView[];
  subscriptions: readonly SubscriptionView[];
  invoices: readonly InvoiceView[];
}

/**
 * Every way in which our record and Stripe's truth may disagree, as sentences; empty when promises P1, P3 and P4 hold. A check that the
 * caller repeats until the system has settled.
 */
export function disagreements(truth: Compared, { payments, receipts, checkouts, customers, subscriptions, invoices }: OurRecord): string[] {
  const books = booksOf(truth);
  return [
    ...paidOnce(truth, books),
    ...payments.flatMap((p) => paymentEqualsTruth(books, p)),
    ...noneForgotten(truth, payments),
    ...oneReceiptEach(payments, receipts),
    ...checkoutFaults(truth, checkouts, payments),
    ...customerFaults(truth, customers),
    ...subscriptionFaults(truth, subscriptions, invoices),
  ];
}

interface Books {
  intents: ReadonlyMap<string, Compared['payment_intents'][number]>;
  refunded: ReadonlyMap<string, number>;
  disputes: ReadonlyMap<string, Compared['disputes']>;
}

/** The truth by intent: tens of thousands of payments are compared again and again. */
function booksOf(truth: Compared): Books {
  const refunded = new Map<string, number>();
  for (const { payment_intent: id, status, amount } of truth.refunds.filter((one) => !isReleaseOnly(one)))
    if (id !== null && status !== 'failed' && status !== 'canceled') refunded.set(id, (refunded.get(id) ?? 0) + amount);
  const disputes = new Map<string, Compared['disputes']>();
  for (const one of truth.disputes)
    if (one.payment_intent !== null) disputes.set(one.payment_intent, [...(disputes.get(one.payment_intent) ?? []), one]);
  return { intents: new Map(truth.payment_intents.map((intent) => [intent.id, intent])), refunded, disputes };
}

function paidOnce(truth: Compared, { refunded: refundedOf }: Books): string[] {
  const succeeded = new Map<string, number>();
  const wrong: string[] = [];
  for (const intent of truth.payment_intents) {
    const payment = intent.metadata.payment_id;
    if (payment && intent.status === 'succeeded') succeeded.set(payment, (succeeded.get(payment) ?? 0) + 1);
    if (intent.amount_received > intent.amount) wrong.push(`${intent.id} captured ${intent.amount_received} of ${intent.amount}`);
    const refunded = refundedOf.get(intent.id) ?? 0;
    if (refunded > intent.amount_received) wrong.push(`${intent.id} refunded ${refunded} of ${intent.amount_received}`);
  }
  for (const [payment, times] of succeeded) if (times > 1) wrong.push(`${payment} was charged ${times} times`);
  const byRefundId = new Map<string, number>();
  for (const refund of truth.refunds) {
    const id = refund.metadata.refund_id;
    if (id && refund.status !== 'failed') byRefundId.set(id, (byRefundId.get(id) ?? 0) + 1);
  }
  for (const [refund, times] of byRefundId) if (times > 1) wrong.push(`${refund} was executed ${times} times`);
  return wrong;
}

function paymentEqualsTruth(books: Books, payment: PaymentView): string[] {
  if (payment.stripe_payment_intent === null) {
    return payment.status === 'failed' || payment.status === 'canceled'
      ? []
      : [`${payment.id} is ${payment.status} and has no PaymentIntent`];
  }
  const intent = books.intents.get(payment.stripe_payment_intent);
  if (!intent) return [`${payment.id} names ${payment.stripe_payment_intent}, which Stripe does not have`];
  const wrong: string[] = [];
  const expected = LOCAL_STATUS_OF[intent.status];
  const endedByUs = payment.status === 'failed' && intent.status === 'canceled';
  if (payment.status !== expected && !endedByUs) wrong.push(`${payment.id} is ${payment.status}, Stripe says ${intent.status}`);
  if (payment.amount_captured !== intent.amount_received)
    wrong.push(`${payment.id} captured ${payment.amount_captured}, Stripe says ${intent.amount_received}`);
  const refunded = books.refunded.get(intent.id) ?? 0;
  if (payment.amount_refunded !== refunded) wrong.push(`${payment.id} refunded ${payment.amount_refunded}, Stripe says ${refunded}`);
  for (const refund of payment.refunds) if (refund.status === 'unknown') wrong.push(`${refund.id} of ${payment.id} is still unknown`);
  return [...wrong, ...disputesEqualTruth(books.disputes.get(intent.id) ?? [], payment)];
}

function disputesEqualTruth(disputes: Compared['disputes'], payment: PaymentView): string[] {
  const balanceOf = (moved: { amount: number }[]) => moved.reduce((sum, { amount }) => sum + amount, 0);
  const ours = (payment.disputes ?? []).map(
    ({ id, status, funds }) => `${id} ${status} ${(funds?.reinstated ?? 0) - (funds?.withdrawn ?? 0)}`,
  );
  const theirs = disputes.map(({ id, status, balance_transactions }) => `${id} ${status} ${balanceOf(balance_transactions)}`);
  const same = ours.toSorted().join() === theirs.toSorted().join();
  return same ? [] : [`${payment.id} has the disputes [${ours.join(', ')}], Stripe says [${theirs.join(', ')}]`];
}

function noneForgotten(truth: Compared, payments: readonly PaymentView[]): string[] {
  const known = new Set(payments.map((p) => p.stripe_payment_intent));
  return truth.payment_intents
    .filter((i) => (i.status === 'succeeded' || i.status === 'requires_capture' || i.status === 'processing') && !known.has(i.id))
    .map((i) => `${i.id} is ${i.status} at Stripe and no payment of ours knows it`);
}

function oneReceiptEach(payments: readonly PaymentView[], all: readonly ReceiptView[]): string[] {
  const wrong: string[] = [];
  const receipts = all.filter(({ kind }) => kind === 'receipt');
  const ofPayment = new Map<string, number>();
  for (const receipt of receipts) ofPayment.set(receipt.payment, (ofPayment.get(receipt.payment) ?? 0) + 1);
  for (const payment of payments) {
    const expected = payment.status === 'succeeded' ? 1 : 0;
    const found = ofPayment.get(payment.id) ?? 0;
    if (found !== expected) wrong.push(`${payment.id} is ${payment.status} and has ${found} receipts`);
  }
  const notes = all.filter(({ kind }) => kind === 'credit_note');
  for (const series of [receipts, notes]) wrong.push(...gapsIn(series));
  for (const receipt of all) if (receipt.status !== 'rendered') wrong.push(`receipt ${receipt.number} is ${receipt.status}`);
  return [...wrong, ...oneNoteEach(payments, notes)];
}

function gapsIn(series: readonly ReceiptView[]): string[] {
  const sequences = series.map((r) => Number(r.number.split('-').at(-1))).sort((a, b) => a - b);
  return sequences.flatMap((n, i) => (n === i + 1 ? [] : [`receipt numbers have a gap or a double at ${i + 1} (found ${n})`]));
}

/** Each refund that succeeded has a credit note that counts, and no other has. */
function oneNoteEach(payments: readonly PaymentView[], notes: readonly ReceiptView[]): string[] {
  const valid = new Map<string, number>();
  for (const note of notes) if (note.voided_at === null && note.refund) valid.set(note.refund, (valid.get(note.refund) ?? 0) + 1);
  return payments.flatMap(({ refunds }) =>
    refunds.flatMap(({ id, status }) => {
      const [found, expected] = [valid.get(id) ?? 0, status === 'succeeded' ? 1 : 0];
      return found === expected ? [] : [`refund ${id} is ${status} and has ${found} credit notes`];
    }),
  );
}
