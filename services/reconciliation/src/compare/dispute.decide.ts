import { DISPUTE_STATUSES } from '@tidegate/contracts/payment';
import { AGREES, type Comparison, type CompareRules, differs, FOREIGN, money } from './finding.js';

export interface RecordedDispute {
  dispute_id: string;
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  currency: string;
  updated_at: Date;
  made_at: Date;
}

export interface RemoteDispute {
  id: string;
  payment_intent: string | null;
  status: string;
  amount: number;
  currency: string;
  livemode: boolean;
}

/** Compares a dispute with what is recorded of it; `recorded` null when there is nothing. One that hangs on no intent belongs to no payment of ours. */
export function compareDispute(recorded: RecordedDispute | null, dispute: RemoteDispute, rules: CompareRules): Comparison {
  if (dispute.livemode !== rules.livemode || (recorded === null && dispute.payment_intent === null)) return FOREIGN;
  const about = { class: 'dispute_mismatch', object: 'dispute', stripe_id: dispute.id, intent: dispute.payment_intent } as const;
  if (recorded === null) return differs({ ...about, local_id: dispute.id, payment_id: null, local: null, remote: wordsOf(dispute) });
  if (statusAgrees(recorded.status, dispute.status) && recorded.amount === dispute.amount && recorded.currency === dispute.currency)
    return AGREES;
  const { payment_id } = recorded;
  return differs({ ...about, local_id: dispute.id, payment_id, local: wordsOf(recorded), remote: wordsOf(dispute) });
}

/** A dispute that Stripe does not know. */
export const compareAbsentDispute = (recorded: RecordedDispute): Comparison =>
  differs({
    class: 'dispute_mismatch',
    object: 'dispute',
    local_id: recorded.dispute_id,
    payment_id: recorded.payment_id,
    stripe_id: recorded.dispute_id,
    intent: null,
    local: wordsOf(recorded),
    remote: null,
  });

/** A status that Stripe invents later stands in our record as the review of its kind. */
function statusAgrees(recorded: string, stripes: string): boolean {
  if ((DISPUTE_STATUSES as readonly string[]).includes(stripes)) return recorded === stripes;
  return recorded === (stripes.startsWith('warning_') ? 'warning_under_review' : 'under_review');
}

const wordsOf = ({ status, amount, currency }: Pick<RemoteDispute, 'status' | 'amount' | 'currency'>) =>
  `${status} ${money(amount, currency)}`;
