import { AUTOMATIC } from '../http/call.js';
import { type World } from '../world.js';
import { decide } from './decide.js';
import { type Dispute, isInquiry } from './dispute.js';

export const DISPUTE_DUE = 'dispute.due';
export const DECIDE_DISPUTE = 'dispute.decide';

/** Stripe's test evidence, and what the bank makes of it. */
const VERDICTS: Readonly<Record<string, 'won' | 'lost' | 'escalated'>> = {
  winning_evidence: 'won',
  losing_evidence: 'lost',
  escalate_inquiry_evidence: 'escalated',
};

export function planDeadline(world: World, dispute: Dispute): void {
  const dueMs = (dispute.evidence_details.due_by ?? 0) * 1000;
  world.scheduler.scheduleAt(dueMs, { kind: DISPUTE_DUE, id: dispute.id });
}

export function planVerdict(world: World, dispute: Dispute): void {
  if (verdictOf(dispute) !== undefined)
    world.scheduler.schedule(world.settings.disputeDecisionMs, { kind: DECIDE_DISPUTE, id: dispute.id });
}

/** Nobody answered in time: a chargeback is lost, an inquiry ends. */
export function missDeadline(world: World, id: string): void {
  const dispute = world.disputes.get(id);
  const dueMs = (dispute?.evidence_details.due_by ?? Infinity) * 1000;
  if (dispute === undefined || !dispute.status.endsWith('needs_response') || dueMs > world.clock.nowMs()) return;
  const late = { ...dispute, evidence_details: { ...dispute.evidence_details, past_due: true } };
  decide(world, late, isInquiry(dispute) ? 'closed' : 'lost', AUTOMATIC);
}

/** The bank has read the evidence. */
export function readEvidence(world: World, id: string): void {
  const dispute = world.disputes.get(id);
  if (dispute === undefined || !dispute.status.endsWith('under_review')) return;
  const verdict = verdictOf(dispute);
  if (verdict === undefined) return;
  if (verdict !== 'escalated') decide(world, dispute, isInquiry(dispute) ? 'closed' : verdict, AUTOMATIC);
  else if (isInquiry(dispute)) planDeadline(world, decide(world, dispute, 'escalated', AUTOMATIC));
}

function verdictOf({ evidence }: Dispute): 'won' | 'lost' | 'escalated' | undefined {
  return VERDICTS[String(evidence['uncategorized_text'])];
}
