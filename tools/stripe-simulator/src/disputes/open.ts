import { type Charge } from '../charges/charge.js';
import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { type Dispute } from './dispute.js';
import { NO_EVIDENCE } from './evidence.js';
import { planDeadline } from './later.js';

export interface DisputeRequest {
  /** `inquiry` moves no money yet, `chargeback` withdraws it, `reversal` (bank debits) is final at once. */
  readonly kind: 'inquiry' | 'chargeback' | 'reversal';
  readonly reason: string;
  /** Minor units; all that was captured by default. */
  readonly amount?: number;
}

const OUTCOME = { inquiry: 'inquiry_opened', chargeback: 'chargeback_opened', reversal: 'debit_reversed' } as const;

/** The customer's bank disputes a charge. */
export function openDispute(world: World, charge: Charge, request: DisputeRequest, cause: Cause): Dispute {
  world.charges.replace({ ...charge, disputed: true });
  const dispute = applyOutcome(world, OUTCOME[request.kind], newDispute(world, charge, request), cause);
  if (request.kind !== 'reversal') planDeadline(world, dispute);
  return dispute;
}

function newDispute(world: World, charge: Charge, { kind, reason, amount }: DisputeRequest): Dispute {
  const card = (charge.payment_method_details as { card?: { brand: string } }).card;
  const final = kind === 'reversal';
  return {
    id: world.ids.next('du'),
    object: 'dispute',
    amount: amount ?? charge.amount_captured,
    balance_transactions: [],
    charge: charge.id,
    created: world.clock.nowSeconds(),
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: final ? null : world.clock.nowSeconds() + world.settings.disputeResponseSeconds,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: kind === 'inquiry',
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    ...(card && { payment_method_details: { card: caseOf(card.brand, kind === 'inquiry'), type: 'card' } }),
    reason,
    status: 'needs_response',
  };
}

function caseOf(brand: string, inquiry: boolean): NonNullable<Dispute['payment_method_details']>['card'] {
  return { brand, case_type: inquiry ? 'inquiry' : 'chargeback', network: brand, network_reason_code: '10.4' };
}
