import type { PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { LOCAL_STATUS_OF, type Truth } from './truth.js';

/**
 * Every way in which our record and Stripe's truth may disagree, as sentences; empty when promises P1, P3 and P4 hold. A check that the
 * caller repeats until the system has settled.
 */
export function disagreements(truth: Truth, payments: readonly PaymentView[], receipts: readonly ReceiptView[]): string[] {
  return [
    ...paidOnce(truth),
    ...payments.flatMap((p) => paymentEqualsTruth(truth, p)),
    ...noneForgotten(truth, payments),
    ...oneReceiptEach(payments, receipts),
  ];
}

function paidOnce(truth: Truth): string[] {
  const succeeded = new Map<string, number>();
  const wrong: string[] = [];
  for (const intent of truth.payment_intents) {
    const payment = intent.metadata.payment_id;
    if (payment && intent.status === 'succeeded') succeeded.set(payment, (succeeded.get(payment) ?? 0) + 1);
    if (intent.amount_received > intent.amount) wrong.push(`${intent.id} captured ${intent.amount_received} of ${intent.amount}`);
    const refunded = refundedOf(truth, intent.id);
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

const refundedOf = (truth: Truth, intent: string): number =>
  truth.refunds
    .filter((r) => r.payment_intent === intent && r.status !== 'failed' && r.status !== 'canceled')
    .reduce((sum, r) => sum + r.amount, 0);

function paymentEqualsTruth(truth: Truth, payment: PaymentView): string[] {
  if (payment.stripe_payment_intent === null) {
    return payment.status === 'failed' || payment.status === 'canceled'
      ? []
      : [`${payment.id} is ${payment.status} and has no PaymentIntent`];
  }
  const intent = truth.payment_intents.find((i) => i.id === payment.stripe_payment_intent);
  if (!intent) return [`${payment.id} names ${payment.stripe_payment_intent}, which Stripe does not have`];
  const wrong: string[] = [];
  const expected = LOCAL_STATUS_OF[intent.status];
  const endedByUs = payment.status === 'failed' && intent.status === 'canceled';
  if (payment.status !== expected && !endedByUs) wrong.push(`${payment.id} is ${payment.status}, Stripe says ${intent.status}`);
  if (payment.amount_captured !== intent.amount_received)
    wrong.push(`${payment.id} captured ${payment.amount_captured}, Stripe says ${intent.amount_received}`);
  const refunded = refundedOf(truth, intent.id);
  if (payment.amount_refunded !== refunded) wrong.push(`${payment.id} refunded ${payment.amount_refunded}, Stripe says ${refunded}`);
  for (const refund of payment.refunds) if (refund.status === 'unknown') wrong.push(`${refund.id} of ${payment.id} is still unknown`);
  return [...wrong, ...disputesEqualTruth(truth, intent.id, payment)];
}

function disputesEqualTruth(truth: Truth, intent: string, payment: PaymentView): string[] {
  const balanceOf = (moved: { amount: number }[]) => moved.reduce((sum, { amount }) => sum + amount, 0);
  const ours = (payment.disputes ?? []).map(
    ({ id, status, funds }) => `${id} ${status} ${(funds?.reinstated ?? 0) - (funds?.withdrawn ?? 0)}`,
  );
  const theirs = truth.disputes
    .filter((one) => one.payment_intent === intent)
    .map(({ id, status, balance_transactions }) => `${id} ${status} ${balanceOf(balance_transactions)}`);
  const same = ours.toSorted().join() === theirs.toSorted().join();
  return same ? [] : [`${payment.id} has the disputes [${ours.join(', ')}], Stripe says [${theirs.join(', ')}]`];
}

function noneForgotten(truth: Truth, payments: readonly PaymentView[]): string[] {
  const known = new Set(payments.map((p) => p.stripe_payment_intent));
  return truth.payment_intents
    .filter((i) => (i.status === 'succeeded' || i.status === 'requires_capture' || i.status === 'processing') && !known.has(i.id))
    .map((i) => `${i.id} is ${i.status} at Stripe and no payment of ours knows it`);
}

function oneReceiptEach(payments: readonly PaymentView[], receipts: readonly ReceiptView[]): string[] {
  const wrong: string[] = [];
  const ofPayment = new Map<string, number>();
  for (const receipt of receipts) ofPayment.set(receipt.payment, (ofPayment.get(receipt.payment) ?? 0) + 1);
  for (const payment of payments) {
    const expected = payment.status === 'succeeded' ? 1 : 0;
    const found = ofPayment.get(payment.id) ?? 0;
    if (found !== expected) wrong.push(`${payment.id} is ${payment.status} and has ${found} receipts`);
  }
  const sequences = receipts.map((r) => Number(r.number.split('-').at(-1))).sort((a, b) => a - b);
  sequences.forEach((n, i) => {
    if (n !== i + 1) wrong.push(`receipt numbers have a gap or a double at ${i + 1} (found ${n})`);
  });
  for (const receipt of receipts) if (receipt.status !== 'rendered') wrong.push(`receipt ${receipt.number} is ${receipt.status}`);
  return wrong;
}
