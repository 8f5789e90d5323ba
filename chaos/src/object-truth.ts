import { isReleaseOnly } from './truth.js';

/** What `GET /__truth` shows of the objects that news are about. */
export interface ObjectTruth {
  payment_intents: Shown[];
  charges: Shown[];
  refunds: Shown[];
  disputes: Shown[];
  checkout_sessions: Shown[];
  customers: Shown[];
  subscriptions: Shown[];
  invoices: Shown[];
  payouts: Shown[];
}

interface Shown {
  id: string;
  status?: string | null;
  payment_intent?: string | null;
  amount_captured?: number;
  amount_refunded?: number;
  balance_transaction?: string | null;
}

export const OBJECT_TRUTH = [
  'payment_intents',
  'charges',
  'refunds',
  'disputes',
  'checkout_sessions',
  'customers',
  'subscriptions',
  'invoices',
  'payouts',
] as const satisfies (keyof ObjectTruth)[];

/** A row of `reconciliation.stripe_objects`. */
export interface KnownObject {
  object_id: string;
  object: string;
  status: string | null;
  payment_intent: string | null;
  amount: number | null;
  amount_captured: number | null;
  amount_refunded: number | null;
}

/** Stripe tells nothing of a page until something comes of it, nor of a refund that only let an authorization go. */
const UNTOLD = (kind: string, shown: Shown): boolean =>
  (kind === 'checkout_sessions' && shown.status === 'open') || (kind === 'refunds' && isReleaseOnly(shown));

/** Every object that is known otherwise than Stripe has it, or not at all, as a sentence. */
export function objectFaults(truth: ObjectTruth, known: readonly KnownObject[]): string[] {
  const rows = new Map(known.map((row) => [row.object_id, row]));
  const faults: string[] = [];
  const cameBack = failedRefunds(known);
  for (const kind of OBJECT_TRUTH)
    for (const shown of truth[kind]) {
      const row = rows.get(shown.id);
      rows.delete(shown.id);
      if (!row) {
        if (!UNTOLD(kind, shown)) faults.push(`${shown.id} is not known`);
        continue;
      }
      const status = kind === 'customers' ? 'active' : (shown.status ?? null);
      if (row.status !== status) faults.push(`${shown.id} is ${row.status}, Stripe says ${status}`);
      if (kind !== 'charges') continue;
      const unheard = cameBack.get(row.payment_intent ?? '') ?? 0;
      const refunded = row.amount_refunded === (shown.amount_refunded ?? 0) + unheard ? shown.amount_refunded : row.amount_refunded;
      const [ours, stripes] = [`${row.amount_captured} - ${refunded}`, `${shown.amount_captured} - ${shown.amount_refunded}`];
      if (ours !== stripes) faults.push(`${shown.id} has ${ours}, Stripe says ${stripes}`);
    }
  for (const row of rows.values()) if (row.status !== 'deleted') faults.push(`${row.object_id} is ${row.status}, Stripe does not have it`);
  return faults;
}

/** What failed refunds gave back, by intent: the charge shows it when it is asked for, but Stripe tells of the refund alone. */
function failedRefunds(known: readonly KnownObject[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { object, status, payment_intent, amount } of known)
    if (object === 'refund' && status === 'failed') sums.set(payment_intent ?? '', (sums.get(payment_intent ?? '') ?? 0) + (amount ?? 0));
  return sums;
}
