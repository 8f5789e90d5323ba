import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import { money } from '../output/money.js';
import { facts } from '../output/table.js';
import { at, duration } from '../output/time.js';

/** A checkout as an operator reads it. */
export const checkoutText = (one: OperatorCheckoutView): string =>
  facts([
    ['checkout', one.id],
    ['tenant', one.tenant],
    ['status', one.status],
    ['payment', one.payment && `${one.payment} (${one.payment_status})`],
    ['late success', one.late_success],
    ['amount', money(one.amount_total, one.currency)],
    ['window ends', at(one.window_ends_at) + (one.overdue_seconds > 0 ? `, ${duration(one.overdue_seconds)} ago` : '')],
    ['session', one.stripe_checkout_session],
    ['failure', one.failure?.code],
    ['created', at(one.created_at)],
    [
      'to do',
      one.work
        ? `${one.work.waits_for?.replaceAll('_', ' ') ?? 'being worked on'}, looked at ${one.work.due_at ? at(one.work.due_at) : 'when asked'}`
        : 'nothing',
    ],
  ]);
