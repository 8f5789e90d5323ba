import type { RecordedPayment } from './payment.decide.js';
import { type Comparison, differs, money } from './finding.js';

/** A payment that succeeded and for which no receipt is recorded. */
export const compareAbsentReceipt = (payment: RecordedPayment): Comparison =>
  differs({
    class: 'receipt_missing',
    object: 'receipt',
    local_id: null,
    payment_id: payment.payment_id,
    stripe_id: payment.stripe_payment_intent,
    intent: null,
    local: null,
    remote: `succeeded ${money(payment.amount_captured, payment.currency)}`,
  });
