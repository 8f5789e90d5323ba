import { RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Finding } from '../compare/finding.js';
import { StripeUnanswered } from '../compare/patient-stripe.js';
import type { LedgerRepair } from '../ledger/repair.js';
import type { CompareDb } from '../compare/kind.js';
import type { ReconciliationMetrics } from '../reconciliation-metrics.js';
import type { Outcome } from '../run/progress.store.js';
import { counterOf } from '../compare/usage.decide.js';
import { believe } from './believe.js';
import { proposedRepair, targetsOf } from './proposed-repair.decide.js';
import type { RepairAnswer, RepairPort } from './repair.port.js';

export interface RepairParts {
  db: CompareDb;
  repair: RepairPort;
  ledger: LedgerRepair;
  metrics: ReconciliationMetrics;
  logger: Logger;
}

/** For whom and why something is put right; the owners keep it with what they do. */
export interface Cause {
  run: string;
  tenant: string;
}

/** Has one disagreement put right by those who own the data; says what it came to. Asking again does no harm. */
export async function applyRepair(parts: RepairParts, finding: Finding, { run, tenant }: Cause): Promise<Outcome> {
  const proposal = proposedRepair(finding);
  if (proposal === null) return { applied: false, reason: 'not repaired automatically' };
  if (proposal === 'refund_duplicate') return { applied: false, reason: 'only proposed: a person decides which charge is given back' };
  if (proposal === 'add_invoice_item')
    return { applied: false, reason: 'only proposed: a person bills the difference with the next invoice, or gives it back' };
  const cause = { tenant, reason: `reconciliation ${run}: ${finding.class}`, actor: 'service:reconciliation' };
  try {
    if (proposal === 'record_fee') return await parts.ledger.recordFee(finding, cause);
    if (proposal === 'replay_ledger') return await parts.ledger.replay(finding, cause);
    if (proposal === 'report_usage') return outcomeOf(await parts.repair.reportUsage({ ...cause, ...counterOf(finding.stripe_id ?? '') }));
    for (const target of targetsOf(finding)) {
      const request = { payment_id: null, stripe_payment_intent: null, ...target, ...cause };
      const answer = await parts.repair.lookUp(request);
      if (answer.kind === 'refused') return { applied: false, reason: answer.code };
      if (answer.told) await believe(parts.db, answer.told, parts.logger);
      if (proposal === 'issue_receipt') return outcomeOf(await issueReceipt(parts, answer, cause));
    }
    return { applied: true, reason: null };
  } catch (err) {
    // What was read stays read, and asking again does no harm.
    if (err instanceof StripeUnanswered) {
      parts.metrics.jobError('reconciliation', 'stripe_unavailable');
      return { applied: false, reason: 'Stripe gave no answer' };
    }
    const noAnswer = err instanceof RpcUnavailable || err instanceof RpcTimeout || err instanceof RpcFailed;
    if (!noAnswer) throw err;
    parts.metrics.jobError('reconciliation', 'payments_unavailable');
    parts.logger.warn({ event: 'repair_not_asked', run, payment_id: finding.payment_id, err }, 'A repair got no answer');
    return { applied: false, reason: `${proposal === 'issue_receipt' ? 'payments or receipts' : 'payments'} gave no answer` };
  }
}

async function issueReceipt(
  { repair }: RepairParts,
  { told }: Extract<RepairAnswer, { kind: 'asked' }>,
  cause: { tenant: string; reason: string; actor: string },
): Promise<RepairAnswer> {
  if (told?.object !== 'payment') return { kind: 'refused', status: 502, code: 'payments did not tell the payment' };
  return repair.issueReceipt({ ...cause, payment: told.snapshot });
}

const outcomeOf = (answer: RepairAnswer): Outcome =>
  answer.kind === 'asked' ? { applied: true, reason: null } : { applied: false, reason: answer.code };
