import { hasEffect, needsIntent, paymentAgrees } from './expected-status.decide.js';
import { AGREES, type Comparison, type CompareRules, differs, type Finding, FOREIGN, money } from './finding.js';

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
  made_at: Date;
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

/** A charge as Stripe shows it: an intent may have been made long before it was paid, so that only its charge is of the period. */
export interface RemoteCharge {
  id: string;
  payment_intent: string | null;
  status: string;
  captured: boolean;
  amount_captured: number;
  currency: string;
  livemode: boolean;
  metadata: Record<string, string>;
}

/** Compares an intent with the payment that is recorded for it; `recorded` null when there is none. */
export function compareIntent(recorded: RecordedPayment | null, intent: RemoteIntent, rules: CompareRules): Comparison {
  if (intent.livemode !== rules.livemode) return FOREIGN;
  if (recorded === null) return unrecordedIntent(intent, rules);
  if (recorded.stripe_payment_intent !== null && recorded.stripe_payment_intent !== intent.id) return secondIntent(recorded, intent);
  return differs(...amountFinding(recorded, intent), ...statusFinding(recorded, intent));
}

/** A payment whose intent is on no page of Stripe's list, and that Stripe does not know when asked for it by id either. */
export function compareAbsentIntent(recorded: RecordedPayment): Comparison {
  if (recorded.stripe_payment_intent === null && !needsIntent(recorded.status)) return AGREES;
  return differs({ ...about(recorded, recorded.stripe_payment_intent), class: 'missing_remote', local: recorded.status, remote: null });
}

/** Whether a charge says that its payment deserves a look at the intent. A charge without an intent is nothing that Tidegate can record. */
export function chargeDisagrees(recorded: RecordedPayment | null, charge: RemoteCharge, rules: CompareRules): boolean {
  if (charge.livemode !== rules.livemode || charge.payment_intent === null || charge.status === 'failed') return false;
  if (recorded === null) return charge.metadata['payment_id'] !== undefined || rules.unmarked === 'adopt';
  if (recorded.stripe_payment_intent !== charge.payment_intent) return true;
  const captured = charge.status === 'succeeded' && charge.captured;
  return captured && (recorded.status !== 'succeeded' || recorded.amount_captured !== charge.amount_captured);
}

/** A charge whose fee is not known yet: its balance transaction comes later (asynchronous capture). */
export const isFeePending = (charge: RemoteCharge & { balance_transaction: string | null }): boolean =>
  charge.status === 'succeeded' && charge.captured && charge.balance_transaction === null;

const about = (recorded: RecordedPayment, stripe_id: string | null) => ({
  object: 'payment' as const,
  local_id: recorded.payment_id,
  payment_id: recorded.payment_id,
  stripe_id,
  intent: null,
});

const statusFinding = (recorded: RecordedPayment, intent: RemoteIntent): Finding[] =>
  paymentAgrees(recorded.status, intent.status)
    ? []
    : [{ ...about(recorded, intent.id), class: 'status_mismatch', local: recorded.status, remote: intent.status }];

/**
 * One finding for what is one difference: in another currency, amounts cannot be compared; what was captured counts once the status agrees. As payments has it, more may
 * have been captured than the intent asks for, such as a tip, and is the amount then. What another program asks for may change as long as nobody has paid, and no event tells.
 */
function amountFinding(recorded: RecordedPayment, intent: RemoteIntent): Finding[] {
  if (!isMarked(intent) && !hasEffect(intent.status)) return [];
  const amount = Math.max(intent.amount, intent.amount_received);
  const [local, remote] = [money(recorded.amount, recorded.currency), money(amount, intent.currency)];
  if (recorded.currency !== intent.currency) return [{ ...about(recorded, intent.id), class: 'currency_mismatch', local, remote }];
  if (recorded.amount !== amount) return [{ ...about(recorded, intent.id), class: 'amount_mismatch', local, remote }];
  if (recorded.amount_captured === intent.amount_received || !paymentAgrees(recorded.status, intent.status)) return [];
  const [ours, stripes] = [recorded.amount_captured, intent.amount_received].map((amount) => `captured ${money(amount, intent.currency)}`);
  return [{ ...about(recorded, intent.id), class: 'amount_mismatch', local: ours!, remote: stripes! }];
}

/** Carries an id of ours. */
const isMarked = ({ metadata }: RemoteIntent): boolean => metadata['payment_id'] !== undefined || metadata['checkout_id'] !== undefined;

function unrecordedIntent(intent: RemoteIntent, rules: CompareRules): Comparison {
  const payment_id = intent.metadata['payment_id'] ?? null;
  if (!isMarked(intent) && rules.unmarked === 'foreign') return FOREIGN;
  return differs({
    class: 'missing_local',
    object: 'payment',
    local_id: payment_id,
    payment_id,
    stripe_id: intent.id,
    intent: null,
    local: null,
    remote: `${intent.status} ${money(intent.amount, intent.currency)}`,
  });
}

/** A payment owns one intent. Another one that carries its id is the shell of a lost create call, unless something happened on it: then the payer paid twice. */
function secondIntent(recorded: RecordedPayment, intent: RemoteIntent): Comparison {
  if (!hasEffect(intent.status)) return AGREES;
  return differs({
    ...about(recorded, intent.id),
    class: 'duplicate_charge',
    local: `has ${recorded.stripe_payment_intent}`,
    remote: `${intent.status} ${money(intent.amount, intent.currency)}`,
  });
}
