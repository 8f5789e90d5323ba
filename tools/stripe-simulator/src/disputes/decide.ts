import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { type Dispute } from './dispute.js';

/** `closed` ends an inquiry without a loss; `escalated` makes a chargeback of it. */
export type Verdict = 'won' | 'lost' | 'closed' | 'escalated';

/** What the bank decides about an open dispute. */
export function decide(world: World, dispute: Dispute, verdict: Verdict, cause: Cause): Dispute {
  switch (verdict) {
    case 'won':
      return applyOutcome(world, 'won', { ...dispute, is_charge_refundable: true }, cause);
    case 'lost':
      return applyOutcome(world, 'lost', dispute, cause);
    case 'closed':
      return applyOutcome(world, 'inquiry_closed', dispute, cause);
    case 'escalated':
      return applyOutcome(world, 'escalated', asChargeback(world, dispute), cause);
  }
}

function asChargeback(world: World, dispute: Dispute): Dispute {
  const { payment_method_details: details, evidence_details: evidence } = dispute;
  return {
    ...dispute,
    is_charge_refundable: false,
    evidence_details: {
      ...evidence,
      due_by: world.clock.nowSeconds() + world.settings.disputeResponseSeconds,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    ...(details && { payment_method_details: { ...details, card: { ...details.card, case_type: 'chargeback' as const } } }),
  };
}
