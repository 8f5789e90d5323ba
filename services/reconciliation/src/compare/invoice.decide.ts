import { AGREES, type Comparison, type CompareRules, differs, type Finding, FOREIGN, money } from './finding.js';

/** An invoice as payments recorded it. Amounts in minor units. */
export interface RecordedInvoice {
  invoice_id: string;
  tenant: string;
  status: string;
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  currency: string;
  attempt_count: number;
  next_payment_attempt: Date | null;
  /** An intent that was made to pay it and that no payment stands for. */
  missing_intent: string | null;
  updated_at: Date;
  made_at: Date;
}

/** An invoice as Stripe shows it. Times in epoch seconds. */
export interface RemoteInvoice {
  id: string;
  status: string | null;
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  currency: string;
  attempt_count: number;
  next_payment_attempt: number | null;
  livemode: boolean;
  metadata: Record<string, string>;
}

/** Compares an invoice with what is recorded of it; `recorded` null when there is nothing. */
export function compareInvoice(recorded: RecordedInvoice | null, remote: RemoteInvoice, rules: CompareRules): Comparison {
  if (remote.livemode !== rules.livemode) return FOREIGN;
  if (recorded === null && rules.unmarked === 'foreign' && remote.metadata['tenant_id'] === undefined) return FOREIGN;
  const next = remote.next_payment_attempt;
  const theirs = wordsOf({
    ...remote,
    status: remote.status ?? 'draft',
    next_payment_attempt: next === null ? null : new Date(next * 1000),
  });
  const local = recorded && wordsOf(recorded);
  if (local !== theirs) return differs({ ...about(remote.id, recorded), local, remote: theirs });
  return recorded && remote.status === 'paid' ? unrecordedPayment(recorded, rules) : AGREES;
}

/** An invoice that Stripe does not know, neither in its list nor by its id. A draft that was deleted is just that. */
export const compareAbsentInvoice = (recorded: RecordedInvoice): Comparison =>
  recorded.status === 'deleted' ? AGREES : differs({ ...about(recorded.invoice_id, recorded), local: wordsOf(recorded), remote: null });

const about = (stripe_id: string, recorded: RecordedInvoice | null): Omit<Finding, 'local' | 'remote'> => ({
  class: 'invoice_mismatch',
  object: 'invoice',
  local_id: recorded && recorded.invoice_id,
  payment_id: null,
  stripe_id,
  intent: null,
});

/** Where unmarked intents are foreign, only the invoice tells that the money is ours; elsewhere the list of intents has named it. */
function unrecordedPayment({ missing_intent, amount_paid, currency }: RecordedInvoice, { unmarked }: CompareRules): Comparison {
  if (missing_intent === null || unmarked !== 'foreign') return AGREES;
  const remote = `paid ${money(amount_paid, currency)} of an invoice`;
  const nobody = { local_id: null, payment_id: null, intent: null, local: null };
  return differs({ class: 'missing_local', object: 'payment', stripe_id: missing_intent, ...nobody, remote });
}

type Shown = Omit<RecordedInvoice, 'invoice_id' | 'tenant' | 'missing_intent' | 'updated_at' | 'made_at'>;

/** All that has to agree: state, money, and how the collection stands. */
function wordsOf({ status, amount_due, amount_paid, amount_remaining, currency, attempt_count, next_payment_attempt }: Shown): string {
  const attempts =
    status === 'open' ? `, ${attempt_count} attempts${next_payment_attempt ? `, next ${next_payment_attempt.toISOString()}` : ''}` : '';
  return `${status} ${money(amount_due, currency)}, paid ${amount_paid}, left ${amount_remaining}${attempts}`;
}
