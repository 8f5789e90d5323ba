import type { OperatorPaymentView } from '@tidegate/contracts/ops/payments';
import { money } from '../output/money.js';
import { facts } from '../output/table.js';
import { at, duration } from '../output/time.js';

/** A payment as an operator reads it. */
export function paymentText(one: OperatorPaymentView): string {
  const { work } = one;
  return facts([
    ['payment', one.id],
    ['tenant', one.tenant],
    ['status', `${one.status}, for ${duration(one.age_seconds)}`],
    ['amount', money(one.amount, one.currency)],
    ['captured', money(one.amount_captured, one.currency)],
    ['refunded', money(one.amount_refunded, one.currency)],
    ['intent', one.stripe_payment_intent],
    ['failure', one.failure && [one.failure.code, one.failure.decline_code].filter(Boolean).join(' / ')],
    ['origin', one.origin],
    ['created', at(one.created_at)],
    [
      'to do',
      work
        ? `${work.waits_for?.replaceAll('_', ' ') ?? 'being worked on'}, looked at ${work.due_at ? at(work.due_at) : 'when asked'}`
        : 'nothing',
    ],
  ]);
}
