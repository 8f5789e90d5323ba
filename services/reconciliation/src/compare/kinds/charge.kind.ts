import type { Charge } from '@tidegate/stripe-gateway/intent';
import { AGREES, differs } from '../finding.js';
import type { ObjectKind } from '../kind.js';
import { chargeDisagrees, isFeePending, type RecordedPayment } from '../payment.decide.js';
import { paymentsFor } from './payment.kind.js';

/** Charges, for payments whose intent was made before the period and paid in it, or is not recorded: what they say is looked at again at the intent. */
export const chargeKind: ObjectKind<Charge, RecordedPayment> = {
  name: 'charge',
  remote: {
    list: (stripe, query) => stripe.listCharges(query),
    recordedFor: (db, charges) =>
      paymentsFor(
        db,
        charges.map(({ id, payment_intent, metadata }) => ({ id, intent: payment_intent, named: metadata['payment_id'] })),
      ),
    // Only whether, never what: rows come of the intent.
    compare: (payment, charge, rules) => (chargeDisagrees(payment, charge, rules) ? differs(NAMELESS) : AGREES),
    isOf: () => false,
    suspectOf: (payment, { payment_intent }) => ({ object: 'payment', local_id: payment?.payment_id ?? null, stripe_id: payment_intent }),
    tally: (charge) => (isFeePending(charge) ? 'fee_pending' : null),
    countsForeign: false,
  },
};

const NAMELESS = {
  class: 'status_mismatch' as const,
  object: 'payment' as const,
  local_id: null,
  payment_id: null,
  stripe_id: null,
  intent: null,
  local: null,
  remote: null,
};
