import type { DiscrepancyClass } from '@tidegate/contracts/responses';
import { hasEffect, needsIntent, needsRefund, paymentAgrees, refundAgrees } from './expected-status.decide.js';

/** A payment as payments recorded it. Amounts in minor units. */
export interface RecordedPayment {
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  amount_captured: number;
  currency: string;
  stripe_payment_intent: string | null;
  updated_at: Date;
}

export interface RecordedRefund {
  refund_id: string;
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  currency: string;
  stripe_refund: string | null;
  updated_at: Date;
}

/** A PaymentIntent as Stripe shows it. */
export interface RemoteIntent {
  id: string;
  status: string;
  amount: number;
  amount_received: number;
  currency: string;
  livemode: boolean;
  metadata: Record<string, string>;
}

export interface RemoteRefund {
  id: string;
  status: string;
  amount: number;
  currency: string;
  metadata: Record<string, string>;
}

/** One disagreement, in the words of both sides. */
export interface Finding {
  class: DiscrepancyClass;
  object: 'payment' | 'refund';
  payment_id: string | null;
  stripe_id: string | null;
  local: string | null;
  remote: string | null;
}

/** `foreign`: another mode's, or nobody's when unmarked objects are declared foreign; counted and left alone. */
export type Comparison = { kind: 'agrees' } | { kind: 'foreign' } | { kind: 'differs'; findings: Finding[] };

export interface CompareRules {
  livemode: boolean;
  /** What an intent is that carries no id of ours: somebody's payment that we should have adopted, or none of our business. */
  unmarked: 'adopt' | 'foreign';
}

const AGREES: Comparison = { kind: 'agrees' };
const differs = (...findings: Finding[]): Comparison => (findings.length === 0 ? AGREES : { kind: 'differs', findings });

/** Compares an intent with the payment that is recorded for it; `recorded` null when there is none. */
export function compareIntent(recorded: RecordedPayment | null, intent: RemoteIntent, rules: CompareRules): Comparison {
  if (intent.livemode !== rules.livemode) return { kind: 'foreign' };
  if (recorded === null) return unrecordedIntent(intent, rules);
  if (recorded.stripe_payment_intent !== null && recorded.stripe_payment_intent !== intent.id) return secondIntent(recorded, intent);
  const about = { object: 'payment' as const, payment_id: recorded.payment_id, stripe_id: intent.id };
  const findings: Finding[] = [];
  if (recorded.amount !== intent.amount || recorded.currency !== intent.currency) {
    findings.push({
      ...about,
      class: 'amount_mismatch',
      local: money(recorded.amount, recorded.currency),
      remote: money(intent.amount, intent.currency),
    });
  }
  if (!paymentAgrees(recorded.status, intent.status)) {
    findings.push({ ...about, class: 'status_mismatch', local: recorded.status, remote: intent.status });
  } else if (recorded.amount_captured !== intent.amount_received) {
    const [local, remote] = [recorded.amount_captured, intent.amount_received].map(
      (amount) => `captured ${money(amount, intent.currency)}`,
    );
    findings.push({ ...about, class: 'amount_mismatch', local: local!, remote: remote! });
  }
  return differs(...findings);
}

/** A payment whose intent is on no page of Stripe's list, and that Stripe does not know when asked for it by id either. */
export function compareAbsentIntent(recorded: RecordedPayment): Comparison {
  if (recorded.stripe_payment_intent === null && !needsIntent(recorded.status)) return AGREES;
  return differs({
    class: 'missing_remote',
    object: 'payment',
    payment_id: recorded.payment_id,
    stripe_id: recorded.stripe_payment_intent,
    local: recorded.status,
    remote: null,
  });
}

export function compareRefund(recorded: RecordedRefund | null, refund: RemoteRefund): Comparison {
  if (recorded === null) {
    return differs({
      class: 'missing_local',
      object: 'refund',
      payment_id: refund.metadata['payment_id'] ?? null,
      stripe_id: refund.id,
      local: null,
      remote: `${refund.status} ${money(refund.amount, refund.currency)}`,
    });
  }
  if (recorded.stripe_refund !== null && recorded.stripe_refund !== refund.id) return secondRefund(recorded, refund);
  const about = { object: 'refund' as const, payment_id: recorded.payment_id, stripe_id: refund.id };
  const findings: Finding[] = [];
  if (recorded.amount !== refund.amount || recorded.currency !== refund.currency) {
    findings.push({
      ...about,
      class: 'amount_mismatch',
      local: money(recorded.amount, recorded.currency),
      remote: money(refund.amount, refund.currency),
    });
  }
  if (!refundAgrees(recorded.status, refund.status))
    findings.push({ ...about, class: 'status_mismatch', local: recorded.status, remote: refund.status });
  return differs(...findings);
}

export function compareAbsentRefund(recorded: RecordedRefund): Comparison {
  if (recorded.stripe_refund === null && !needsRefund(recorded.status)) return AGREES;
  return differs({
    class: 'missing_remote',
    object: 'refund',
    payment_id: recorded.payment_id,
    stripe_id: recorded.stripe_refund,
    local: `${recorded.status} ${money(recorded.amount, recorded.currency)}`,
    remote: null,
  });
}

function unrecordedIntent(intent: RemoteIntent, rules: CompareRules): Comparison {
  const payment_id = intent.metadata['payment_id'] ?? null;
  if (payment_id === null && rules.unmarked === 'foreign') return { kind: 'foreign' };
  return differs({
    class: 'missing_local',
    object: 'payment',
    payment_id,
    stripe_id: intent.id,
    local: null,
    remote: `${intent.status} ${money(intent.amount, intent.currency)}`,
  });
}

/** A payment owns one intent. Another one that carries its id is the shell of a lost create call, unless something happened on it. */
function secondIntent(recorded: RecordedPayment, intent: RemoteIntent): Comparison {
  if (!hasEffect(intent.status)) return AGREES;
  return differs({
    class: 'missing_local',
    object: 'payment',
    payment_id: recorded.payment_id,
    stripe_id: intent.id,
    local: `has ${recorded.stripe_payment_intent}`,
    remote: `${intent.status} ${money(intent.amount, intent.currency)}`,
  });
}

/** Stripe refunds again when it is asked with another key: one refund of ours that was carried out twice. */
function secondRefund(recorded: RecordedRefund, refund: RemoteRefund): Comparison {
  if (refundAgrees('failed', refund.status)) return AGREES;
  return differs({
    class: 'missing_local',
    object: 'refund',
    payment_id: recorded.payment_id,
    stripe_id: refund.id,
    local: `has ${recorded.stripe_refund}`,
    remote: `${refund.status} ${money(refund.amount, refund.currency)}`,
  });
}

const money = (amount: number, currency: string): string => `${amount} ${currency}`;
