import { type Refund } from '@tidegate/stripe-gateway/intent';
import { isRelease } from '@tidegate/stripe-gateway/release';
import { needsRefund, refundAgrees } from './expected-status.decide.js';
import { AGREES, type Comparison, differs, type Finding, FOREIGN, money } from './finding.js';

export interface RecordedRefund {
  refund_id: string;
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  currency: string;
  stripe_refund: string | null;
  updated_at: Date;
  made_at: Date;
}

export interface RemoteRefund {
  id: string;
  payment_intent: string | null;
  status: Refund['status'];
  amount: number;
  currency: string;
  balance_transaction: string | null;
  metadata: Record<string, string>;
}

/** Compares a refund with what is recorded of it; `recorded` null when there is nothing. One that hangs on no intent gives back no payment of ours, and what released an authorization gives nothing back. */
export function compareRefund(recorded: RecordedRefund | null, refund: RemoteRefund): Comparison {
  if (recorded === null) {
    if (refund.payment_intent === null) return FOREIGN;
    if (isRelease(refund)) return AGREES;
    const { refund_id = null, payment_id = null } = refund.metadata;
    const about = { ...shared(refund), local_id: refund_id, payment_id };
    return differs({ ...about, local: null, remote: wordsOf(refund) });
  }
  if (recorded.stripe_refund !== null && recorded.stripe_refund !== refund.id) return secondRefund(recorded, refund);
  const same = refundAgrees(recorded.status, refund.status) && recorded.amount === refund.amount && recorded.currency === refund.currency;
  return same ? AGREES : differs({ ...ours(recorded, refund), local: wordsOf(recorded), remote: wordsOf(refund) });
}

/** A refund that is on no page of Stripe's list, and that Stripe does not know by id either. */
export function compareAbsentRefund(recorded: RecordedRefund): Comparison {
  if (recorded.stripe_refund === null && !needsRefund(recorded.status)) return AGREES;
  const stripe = { id: recorded.stripe_refund, payment_intent: null };
  return differs({ ...ours(recorded, stripe), local: wordsOf(recorded), remote: null });
}

/** Stripe refunds again when it is asked with another key: one refund of ours that was carried out twice. */
function secondRefund(recorded: RecordedRefund, refund: RemoteRefund): Comparison {
  if (refundAgrees('failed', refund.status)) return AGREES;
  return differs({ ...ours(recorded, refund), local: `has ${recorded.stripe_refund}`, remote: wordsOf(refund) });
}

const wordsOf = ({ status, amount, currency }: { status: string; amount: number; currency: string }) =>
  `${status} ${money(amount, currency)}`;

type AtStripe = { id: string | null; payment_intent: string | null };

const shared = ({ id, payment_intent }: AtStripe): Pick<Finding, 'class' | 'object' | 'stripe_id' | 'intent'> => ({
  class: 'refund_mismatch',
  object: 'refund',
  stripe_id: id,
  intent: payment_intent,
});

const ours = ({ refund_id, payment_id }: RecordedRefund, stripe: AtStripe) => ({ ...shared(stripe), local_id: refund_id, payment_id });
